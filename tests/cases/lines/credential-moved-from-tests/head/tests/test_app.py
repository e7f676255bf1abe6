import boto3

session = boto3.Session()
