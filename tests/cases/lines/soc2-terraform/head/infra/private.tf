resource "aws_security_group_rule" "https" {
  type        = "ingress"
  cidr_blocks = ["10.0.0.0/8"]
}

resource "aws_s3_bucket_acl" "internal" {
  acl = "private"
}
