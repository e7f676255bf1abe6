# This file is maintained automatically by "terraform init".

provider "registry.example/ours/kiln" {
  version     = "1.2.0"
  constraints = "~> 1.0"
  hashes = [
    "zh:68631f7efffbe88766d253163e10fd58bbe5c61ce214a150085931c074e3f2e5",
  ]
}
