// Who may do what; a role is given on the one resource that it is needed for.
param storageAccountName string
param insightsName string
param schedulerName string
param registryName string
param apiPrincipalId string
param trainerPrincipalId string
param deployerPrincipalId string
param deployerPrincipalType string

var roles = loadJsonContent('../roles.json')

// The Functions host takes leases on blobs of its own, for which its documentation asks for Owner; Event Grid's drops pass through queues.
var storageGrants = [
  { principal: apiPrincipalId, type: 'ServicePrincipal', role: roles.storageBlobDataOwner }
  { principal: apiPrincipalId, type: 'ServicePrincipal', role: roles.storageQueueDataContributor }
  { principal: trainerPrincipalId, type: 'ServicePrincipal', role: roles.storageBlobDataOwner }
  { principal: deployerPrincipalId, type: deployerPrincipalType, role: roles.storageBlobDataContributor }
]
var schedulerGrants = [
  { principal: apiPrincipalId, type: 'ServicePrincipal', role: roles.durableTaskDataContributor }
  { principal: trainerPrincipalId, type: 'ServicePrincipal', role: roles.durableTaskDataContributor }
  { principal: deployerPrincipalId, type: deployerPrincipalType, role: roles.durableTaskDataContributor }
]
var insightsGrants = [
  { principal: apiPrincipalId, type: 'ServicePrincipal', role: roles.monitoringMetricsPublisher }
  { principal: trainerPrincipalId, type: 'ServicePrincipal', role: roles.monitoringMetricsPublisher }
]

resource account 'Microsoft.Storage/storageAccounts@2024-01-01' existing = {
  name: storageAccountName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource scheduler 'Microsoft.DurableTask/schedulers@2025-11-01' existing = {
  name: schedulerName
}

resource registry 'Microsoft.ContainerRegistry/registries@2023-07-01' existing = {
  name: registryName
}

resource onStorage 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for grant in storageGrants: {
  name: guid(account.id, grant.principal, grant.role)
  scope: account
  properties: {
    principalId: grant.principal
    principalType: grant.type
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', grant.role)
  }
}]

resource onScheduler 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for grant in schedulerGrants: {
  name: guid(scheduler.id, grant.principal, grant.role)
  scope: scheduler
  properties: {
    principalId: grant.principal
    principalType: grant.type
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', grant.role)
  }
}]

resource onInsights 'Microsoft.Authorization/roleAssignments@2022-04-01' = [for grant in insightsGrants: {
  name: guid(insights.id, grant.principal, grant.role)
  scope: insights
  properties: {
    principalId: grant.principal
    principalType: grant.type
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', grant.role)
  }
}]

resource onRegistry 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(registry.id, trainerPrincipalId, roles.acrPull)
  scope: registry
  properties: {
    principalId: trainerPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roles.acrPull)
  }
}
