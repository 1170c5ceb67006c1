namespace Infra.Tests.Bicep;

/// <summary>What a value is, as far as it can be seen without Azure.</summary>
internal enum ValueKind
{
    Any,
    Text,
    Number,
    Truth,
    Object,
    Array,
}

/// <summary>
/// The functions of Bicep that the templates may call, with the least and most arguments and what they return (Microsoft Learn, "Bicep
/// functions"). One that reads keys is not among them on purpose.
/// </summary>
internal static class Functions
{
    public static IReadOnlyDictionary<string, (int Least, int Most, ValueKind Returns)> Known { get; } =
        new Dictionary<string, (int, int, ValueKind)>(StringComparer.Ordinal)
        {
            ["concat"] = (1, 32, ValueKind.Any),
            ["contains"] = (2, 2, ValueKind.Truth),
            ["deployer"] = (0, 0, ValueKind.Object),
            ["empty"] = (1, 1, ValueKind.Truth),
            ["endsWith"] = (2, 2, ValueKind.Truth),
            ["environment"] = (0, 0, ValueKind.Object),
            ["filter"] = (2, 2, ValueKind.Array),
            ["first"] = (1, 1, ValueKind.Any),
            ["guid"] = (1, 32, ValueKind.Text),
            ["int"] = (1, 1, ValueKind.Number),
            ["items"] = (1, 1, ValueKind.Array),
            ["join"] = (2, 2, ValueKind.Text),
            ["json"] = (1, 1, ValueKind.Any),
            ["length"] = (1, 1, ValueKind.Number),
            ["loadJsonContent"] = (1, 3, ValueKind.Any),
            ["loadTextContent"] = (1, 2, ValueKind.Text),
            ["map"] = (2, 2, ValueKind.Array),
            ["max"] = (1, 32, ValueKind.Number),
            ["min"] = (1, 32, ValueKind.Number),
            ["range"] = (2, 2, ValueKind.Array),
            ["replace"] = (3, 3, ValueKind.Text),
            ["resourceGroup"] = (0, 2, ValueKind.Object),
            ["resourceId"] = (2, 32, ValueKind.Text),
            ["split"] = (2, 2, ValueKind.Array),
            ["startsWith"] = (2, 2, ValueKind.Truth),
            ["string"] = (1, 1, ValueKind.Text),
            ["subscription"] = (0, 1, ValueKind.Object),
            ["subscriptionResourceId"] = (2, 32, ValueKind.Text),
            ["take"] = (2, 2, ValueKind.Any),
            ["tenant"] = (0, 0, ValueKind.Object),
            ["toLower"] = (1, 1, ValueKind.Text),
            ["toUpper"] = (1, 1, ValueKind.Text),
            ["trim"] = (1, 1, ValueKind.Text),
            ["union"] = (1, 32, ValueKind.Any),
            ["uniqueString"] = (1, 32, ValueKind.Text),
        };

    /// <summary>Decorators, with what they may stand above.</summary>
    public static IReadOnlyDictionary<string, DeclarationKind[]> Decorators { get; } = new Dictionary<string, DeclarationKind[]>(StringComparer.Ordinal)
    {
        ["allowed"] = [DeclarationKind.Parameter],
        ["batchSize"] = [DeclarationKind.Resource, DeclarationKind.Module],
        ["description"] = [DeclarationKind.Parameter, DeclarationKind.Variable, DeclarationKind.Resource, DeclarationKind.Module, DeclarationKind.Output],
        ["maxLength"] = [DeclarationKind.Parameter],
        ["maxValue"] = [DeclarationKind.Parameter],
        ["metadata"] = [DeclarationKind.Parameter],
        ["minLength"] = [DeclarationKind.Parameter],
        ["minValue"] = [DeclarationKind.Parameter],
        ["secure"] = [DeclarationKind.Parameter],
    };
}
