resource "aws_db_instance" "ledger" {
  storage_encrypted = false
}
