# café ÿþ
import boto3

session = boto3.Session(aws_access_key_id="AKIAQ6TZ4MHB7WJ3XN5K")
