param workspaceName string
param insightsName string
param location string
param tags object
param retentionDays int

resource workspace 'Microsoft.OperationalInsights/workspaces@2023-09-01' = {
  name: workspaceName
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: retentionDays
    features: { disableLocalAuth: true }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: insightsName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    // The connection string is then an address and no secret: telemetry needs an identity with the role for it.
    DisableLocalAuth: true
  }
}

output workspaceName string = workspace.name
output insightsName string = insights.name
output insightsConnection string = insights.properties.ConnectionString
