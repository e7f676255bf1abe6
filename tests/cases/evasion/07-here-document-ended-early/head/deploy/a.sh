#!/bin/sh
cat <<END
text
END
curl -k https://api.corp.invalid/
