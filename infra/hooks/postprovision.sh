#!/bin/sh
# After azd provision: settings for a host on this machine that works on the cloud's storage, and the trainer's scale rule, which
# provisioning resets.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
file="$here/../../local.settings.json"

if [ -e "$file" ]; then
  echo "local.settings.json is there already and stays as it is. To work on the cloud's storage, set \"storage\" in it to $STORAGE_BLOB_ENDPOINT"
else
  cat > "$file" <<SETTINGS
{
  "IsEncrypted": false,
  "Values": {
    "FUNCTIONS_WORKER_RUNTIME": "dotnet-isolated",
    "storage": "$STORAGE_BLOB_ENDPOINT",
    "data": ".data"
  }
}
SETTINGS
  echo "local.settings.json is written: the local host works on $STORAGE_BLOB_ENDPOINT with the identity of az login."
fi

# Before the first deployment there is no trainer to scale; postdeploy sets the rule then.
if [ -n "${SERVICE_TRAINER_IMAGE_NAME:-}" ]; then
  sh "$here/scale-trainer.sh"
fi
