namespace Infra.Tests.Bicep;

/// <summary>
/// The resource types with their versions that the templates use. Each body was held against the published types of that version
/// (Azure/bicep-types-az of August 2026): names of properties, kinds, literals, what is required and what cannot be written. A version
/// that is not here is to be held against them before it comes in.
/// </summary>
internal static class ResourceTypes
{
    public static IReadOnlySet<string> Known { get; } = new HashSet<string>(StringComparer.Ordinal)
    {
        "Microsoft.App/containerApps@2025-07-01",
        "Microsoft.App/managedEnvironments@2025-07-01",
        "Microsoft.Authorization/roleAssignments@2022-04-01",
        "Microsoft.ContainerRegistry/registries@2023-07-01",
        "Microsoft.DurableTask/schedulers@2025-11-01",
        "Microsoft.DurableTask/schedulers/retentionPolicies@2025-11-01",
        "Microsoft.DurableTask/schedulers/taskHubs@2025-11-01",
        "Microsoft.EventGrid/systemTopics@2025-02-15",
        "Microsoft.Insights/actionGroups@2023-01-01",
        "Microsoft.Insights/components@2020-02-02",
        "Microsoft.Insights/diagnosticSettings@2021-05-01-preview",
        "Microsoft.Insights/metricAlerts@2018-03-01",
        "Microsoft.Insights/scheduledQueryRules@2023-12-01",
        "Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31",
        "Microsoft.OperationalInsights/workspaces@2023-09-01",
        "Microsoft.Resources/resourceGroups@2024-11-01",
        "Microsoft.Storage/storageAccounts@2024-01-01",
        "Microsoft.Storage/storageAccounts/blobServices@2024-01-01",
        "Microsoft.Storage/storageAccounts/blobServices/containers@2024-01-01",
        "Microsoft.Web/serverfarms@2024-04-01",
        "Microsoft.Web/sites@2024-04-01",
        "Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01",
        "Microsoft.Web/sites/config@2024-04-01",
    };
}
