#!/bin/sh
# Tells the platform how trainers are scaled: one for each activity that waits, none when none does. The platform refuses the rule
# when it creates the app and forgets it when the app is provisioned again, so that it is set after both.
set -eu
umask 077
body=$(mktemp)
trap 'rm -f "$body"' EXIT
trap 'exit 1' HUP INT TERM

if [ "${TRAINER_SCALING:-rule}" = platform ]; then
  cat > "$body" <<BODY
{ "properties": { "template": { "scale": { "allowScalingRuleOverride": false, "rules": [] } } } }
BODY
else
  cat > "$body" <<BODY
{
  "properties": {
    "template": {
      "scale": {
        "allowScalingRuleOverride": true,
        "rules": [
          {
            "name": "training",
            "custom": {
              "type": "azure-durabletask-scheduler",
              "identity": "$TRAINER_IDENTITY_ID",
              "metadata": {
                "endpoint": "$SCHEDULER_ENDPOINT",
                "taskhubName": "$TASKHUB_NAME",
                "maxConcurrentWorkItemsCount": "1",
                "workItemType": "Activity"
              }
            }
          }
        ]
      }
    }
  }
}
BODY
fi

app="/subscriptions/$AZURE_SUBSCRIPTION_ID/resourceGroups/$AZURE_RESOURCE_GROUP/providers/Microsoft.App/containerApps/$TRAINER_NAME"
if ! az rest --method patch --url "$app?api-version=2026-03-02-preview" --headers Content-Type=application/json --body "@$body" --output none; then
  echo "The trainer's scale rule could not be set. Until it can, keep a trainer running: azd env set TRAINER_MIN_REPLICAS 1 && azd env set TRAINER_SCALING platform && azd provision" >&2
  exit 1
fi
echo "The trainer $TRAINER_NAME scales as TRAINER_SCALING says: ${TRAINER_SCALING:-rule}."
