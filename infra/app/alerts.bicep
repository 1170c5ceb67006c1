param location string
param tags object
param groupName string
param email string
param workspaceName string
param schedulerName string
param topicName string

// Phrases are those of the app's log messages; tests/Infra.Tests holds them against the source.
var queries = [
  {
    name: 'failed-runs'
    description: 'A run or a pretraining has failed, or none can be begun.'
    query: 'AppTraces | where SeverityLevel >= 3 | where Message contains " failed: " or Message contains "nothing can be begun"'
    severity: 1
    threshold: 0
  }
  {
    name: 'exceptions'
    description: 'More exceptions than the occasional one that is tried again.'
    query: 'AppExceptions'
    severity: 2
    threshold: 20
  }
  {
    name: 'server-errors'
    description: 'Requests are answered with 5xx.'
    query: 'AppRequests | where ResultCode startswith "5"'
    severity: 1
    threshold: 5
  }
]

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' existing = {
  name: workspaceName
}

resource scheduler 'Microsoft.DurableTask/schedulers@2025-11-01' existing = {
  name: schedulerName
}

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' existing = {
  name: topicName
}

resource group 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: groupName
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'ulmfit'
    enabled: true
    emailReceivers: empty(email) ? [] : [ { name: 'operators', emailAddress: email, useCommonAlertSchema: true } ]
  }
}

resource logAlert 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [for each in queries: {
  name: each.name
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: each.name
    description: each.description
    severity: each.severity
    enabled: true
    scopes: [ workspace.id ]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT15M'
    // The tables come into being with the first telemetry.
    skipQueryValidation: true
    criteria: {
      allOf: [
        {
          query: each.query
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: each.threshold
        }
      ]
    }
    actions: { actionGroups: [ group.id ] }
  }
}]

resource deadLetters 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'dead-letters'
  location: 'global'
  tags: tags
  properties: {
    description: 'Events of new drops could not be delivered. The reconciling timer finds the drops; see why the api does not answer.'
    severity: 2
    enabled: true
    scopes: [ topic.id ]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          name: 'dead-letters'
          criterionType: 'StaticThresholdCriterion'
          metricNamespace: 'Microsoft.EventGrid/systemTopics'
          metricName: 'DeadLetteredCount'
          timeAggregation: 'Total'
          operator: 'GreaterThan'
          threshold: 0
        }
      ]
    }
    actions: [ { actionGroupId: group.id } ]
  }
}

resource waiting 'Microsoft.Insights/metricAlerts@2018-03-01' = {
  name: 'training-waits'
  location: 'global'
  tags: tags
  properties: {
    description: 'Activities have waited for half an hour without a break: no trainer comes up, or there are too few.'
    severity: 2
    enabled: true
    scopes: [ scheduler.id ]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT30M'
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          name: 'training-waits'
          criterionType: 'StaticThresholdCriterion'
          metricNamespace: 'Microsoft.DurableTask/schedulers'
          metricName: 'ActivityPendingItems'
          timeAggregation: 'Minimum'
          operator: 'GreaterThan'
          threshold: 0
        }
      ]
    }
    actions: [ { actionGroupId: group.id } ]
  }
}
