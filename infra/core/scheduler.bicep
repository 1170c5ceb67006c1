param name string
param hubName string
param location string
param tags object
param sku string
param capacity int
param historyDays int

resource scheduler 'Microsoft.DurableTask/schedulers@2025-11-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    // From anywhere, with an identity: neither app has addresses of its own.
    ipAllowlist: [ '0.0.0.0/0' ]
    sku: sku == 'Dedicated' ? { name: sku, capacity: capacity } : { name: sku }
  }
}

resource hub 'Microsoft.DurableTask/schedulers/taskHubs@2025-11-01' = {
  parent: scheduler
  name: hubName
}

resource retention 'Microsoft.DurableTask/schedulers/retentionPolicies@2025-11-01' = {
  parent: scheduler
  name: 'default'
  properties: {
    retentionPolicies: [ { retentionPeriodInDays: historyDays } ]
  }
}

output name string = scheduler.name
output endpoint string = scheduler.properties.endpoint
output hubName string = hub.name
