#!/bin/sh
set -eu
curl -fsSLo install.sh https://get.tool.invalid/install.sh
printf "%s  install.sh\n" "$SUM" | sha256sum -c -
sh install.sh
