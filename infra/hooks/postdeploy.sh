#!/bin/sh
# After azd deploy: the event subscriptions of the blob triggers, whose key exists only once the code runs; the pretrained model;
# the trainer's scale rule. Everything is created or brought up to date, so that it may run any number of times.
set -eu
umask 077
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
body=$(mktemp)
trap 'rm -f "$body"' EXIT
trap 'exit 1' HUP INT TERM

if ! az account show --subscription "$AZURE_SUBSCRIPTION_ID" --output none; then
  echo "The Azure CLI is missing or not signed in to subscription $AZURE_SUBSCRIPTION_ID: az login" >&2
  exit 1
fi
group="/subscriptions/$AZURE_SUBSCRIPTION_ID/resourceGroups/$AZURE_RESOURCE_GROUP/providers"

# The host makes the key when it has started with a blob trigger; a first start takes minutes.
key=
tries=0
while [ -z "$key" ]; do
  key=$(az functionapp keys list --subscription "$AZURE_SUBSCRIPTION_ID" --resource-group "$AZURE_RESOURCE_GROUP" --name "$API_NAME" \
    --query systemKeys.blobs_extension --output tsv 2>/dev/null || true)
  if [ -z "$key" ]; then
    tries=$((tries + 1))
    if [ "$tries" -gt 60 ]; then
      echo "After ten minutes $API_NAME has no system key blobs_extension: its host does not start. See its log stream, then: azd hooks run postdeploy" >&2
      exit 1
    fi
    sleep 10
  fi
done

# subscribe CONTAINER FUNCTION: events of new blobs of the container go to the function. The key is handed over in a file, since
# the arguments of a process can be read by others.
subscribe() {
  cat > "$body" <<BODY
{
  "properties": {
    "eventDeliverySchema": "EventGridSchema",
    "destination": {
      "endpointType": "WebHook",
      "properties": { "endpointUrl": "$API_URL/runtime/webhooks/blobs?functionName=Host.Functions.$2&code=$key" }
    },
    "filter": {
      "includedEventTypes": [ "Microsoft.Storage.BlobCreated" ],
      "subjectBeginsWith": "/blobServices/default/containers/$1/"
    },
    "retryPolicy": { "maxDeliveryAttempts": 30, "eventTimeToLiveInMinutes": 1440 },
    "deadLetterWithResourceIdentity": {
      "identity": { "type": "SystemAssigned" },
      "deadLetterDestination": {
        "endpointType": "StorageBlob",
        "properties": {
          "resourceId": "$group/Microsoft.Storage/storageAccounts/$STORAGE_ACCOUNT_NAME",
          "blobContainerName": "$DEAD_LETTER_CONTAINER"
        }
      }
    }
  }
}
BODY
  url="$group/Microsoft.EventGrid/systemTopics/$EVENT_TOPIC_NAME/eventSubscriptions/$1?api-version=2025-02-15"
  # Event Grid asks the function for its consent, which a host that is just starting does not give in time.
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    state=Failed
    if az rest --method put --url "$url" --headers Content-Type=application/json --body "@$body" --output none; then
      state=Creating
    fi
    while [ "$state" != Succeeded ] && [ "$state" != Failed ]; do
      sleep 5
      state=$(az rest --method get --url "$url" --query properties.provisioningState --output tsv || echo Failed)
    done
    if [ "$state" = Succeeded ]; then
      echo "New blobs of $1/ go to $2."
      return 0
    fi
    sleep 30
  done
  echo "The event subscription of $1/ could not be made. Until it can, the timer finds new drops each minute. Try again: azd hooks run postdeploy" >&2
  return 1
}

digest() {
  if command -v sha256sum >/dev/null 2>&1; then sha256sum "$1"; else shasum -a 256 "$1"; fi | cut -d ' ' -f 1
}

# upload FILE NAME: a blob of the container pretrained, unless it is there already. A role that was given minutes ago may not hold yet.
upload() {
  sum=$(digest "$1")
  there=$(az storage blob show --subscription "$AZURE_SUBSCRIPTION_ID" --auth-mode login --account-name "$STORAGE_ACCOUNT_NAME" \
    --container-name pretrained --name "$2" --query metadata.sha256 --output tsv 2>/dev/null || true)
  [ "$there" = "$sum" ] && return 0
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    if az storage blob upload --subscription "$AZURE_SUBSCRIPTION_ID" --auth-mode login --account-name "$STORAGE_ACCOUNT_NAME" \
      --container-name pretrained --name "$2" --file "$1" --metadata "sha256=$sum" --overwrite true --no-progress --only-show-errors --output none; then
      echo "pretrained/$2 is uploaded."
      return 0
    fi
    sleep 30
  done
  echo "pretrained/$2 could not be uploaded: does $STORAGE_ACCOUNT_NAME grant you Storage Blob Data Contributor?" >&2
  return 1
}

subscribe labeled DropArrived

# The model that training starts from unless settings say otherwise, or another one. Its forward weights come last: they are what
# makes it known.
model=${PRETRAINED_DIRECTORY:-$here/../../src/Ulmfit/Pretrained/en-small}
for file in vocabulary.json card.json backward.safetensors forward.safetensors; do
  if [ -e "$model/$file" ]; then
    upload "$model/$file" "$(basename "$model")/$file"
  fi
done

sh "$here/scale-trainer.sh"
