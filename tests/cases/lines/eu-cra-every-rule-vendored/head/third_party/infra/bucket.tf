resource "aws_s3_bucket_acl" "reports" {
  acl = "public-read"
}
