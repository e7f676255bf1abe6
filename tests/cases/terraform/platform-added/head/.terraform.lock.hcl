# This file is maintained automatically by "terraform init".

provider "registry.example/ours/kiln" {
  version     = "1.2.0"
  constraints = "~> 1.0"
  hashes = [
    "zh:84b52f67cb4b75e6caa8a207c742d034d27f964b738715ae9996a395a1a822cb",
    "zh:8759ca1efb7ed3acd995b0596affb10f1920b52025707b293b8692c05a0a9971",
    "zh:68631f7efffbe88766d253163e10fd58bbe5c61ce214a150085931c074e3f2e5",
  ]
}
