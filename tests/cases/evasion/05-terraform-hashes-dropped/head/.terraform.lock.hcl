# This file is maintained automatically by "terraform init".

provider "registry.example/ours/kiln" {
  version     = "1.2.0"
  constraints = "~> 1.0"
  hashes = [
  ]
}
