import boto3

