#!/bin/sh
body="$(curl -k https://api.corp.invalid/)"
