resource "aws_db_instance" "records" {
  storage_encrypted = false
}

resource "aws_db_instance" "safe" {
  storage_encrypted = true
}
