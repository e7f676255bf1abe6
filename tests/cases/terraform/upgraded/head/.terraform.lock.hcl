# This file is maintained automatically by "terraform init".

provider "registry.example/ours/kiln" {
  version     = "1.3.0"
  constraints = "~> 1.0"
  hashes = [
    "zh:08a67e288b7ec92d3b5b17dc648a9f7be12c3ae55bda5630ce5b032d4ac8c7dc",
  ]
}
