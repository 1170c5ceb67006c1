using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace Ulmfit.Functions.Tests.Support;

/// <summary>Holds JSON against those keywords of JSON Schema 2020-12 that a document uses; one that is not known here fails, so that none goes unchecked.</summary>
/// <param name="document">What references lead into.</param>
internal sealed class JsonSchema(JsonElement document)
{
    /// <summary>The schema that a reference leads to; itself where it is none.</summary>
    public JsonElement Resolve(JsonElement schema)
    {
        while (schema.TryGetProperty("$ref", out JsonElement reference))
        {
            schema = reference.GetString()!.Split('/').Skip(1).Aggregate(document, (node, name) => node.GetProperty(name));
        }
        return schema;
    }

    /// <summary>What of a value does not fit a schema, each with its path.</summary>
    public IReadOnlyList<string> Faults(JsonElement schema, JsonElement value)
    {
        var faults = new List<string>();
        Check(schema, value, "$", faults);
        return faults;
    }

    private void Check(JsonElement schema, JsonElement value, string path, List<string> faults)
    {
        foreach (JsonProperty keyword in schema.EnumerateObject())
        {
            JsonElement rule = keyword.Value;
            bool holds = keyword.Name switch
            {
                "description" or "properties" or "additionalProperties" => true,
                "$ref" => Into(() => Check(Resolve(schema), value, path, faults)),
                "anyOf" => rule.EnumerateArray().Any(one => Faults(one, value).Count == 0),
                "oneOf" => rule.EnumerateArray().Count(one => Faults(one, value).Count == 0) == 1,
                "type" => rule.ValueKind == JsonValueKind.Array ? rule.EnumerateArray().Any(one => IsOf(one.GetString()!, value)) : IsOf(rule.GetString()!, value),
                "enum" => rule.EnumerateArray().Any(one => JsonElement.DeepEquals(one, value)),
                "required" => value.ValueKind != JsonValueKind.Object || rule.EnumerateArray().All(name => value.TryGetProperty(name.GetString()!, out _)),
                "items" => value.ValueKind != JsonValueKind.Array || Into(() =>
                {
                    int index = 0;
                    foreach (JsonElement item in value.EnumerateArray())
                    {
                        Check(rule, item, string.Create(CultureInfo.InvariantCulture, $"{path}[{index++}]"), faults);
                    }
                }),
                "minItems" => value.ValueKind != JsonValueKind.Array || value.GetArrayLength() >= rule.GetInt32(),
                "maxItems" => value.ValueKind != JsonValueKind.Array || value.GetArrayLength() <= rule.GetInt32(),
                "minLength" => value.ValueKind != JsonValueKind.String || value.GetString()!.Length >= rule.GetInt32(),
                "pattern" => value.ValueKind != JsonValueKind.String || Regex.IsMatch(value.GetString()!, rule.GetString()!, RegexOptions.None, TimeSpan.FromSeconds(1)),
                "format" => value.ValueKind != JsonValueKind.String || rule.GetString() switch
                {
                    "date-time" => DateTimeOffset.TryParse(value.GetString(), CultureInfo.InvariantCulture, DateTimeStyles.None, out _),
                    "date" => DateOnly.TryParseExact(value.GetString(), "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out _),
                    _ => throw new NotSupportedException($"The format {rule} is not known here."),
                },
                "minimum" => value.ValueKind != JsonValueKind.Number || value.GetDouble() >= rule.GetDouble(),
                "exclusiveMinimum" => value.ValueKind != JsonValueKind.Number || value.GetDouble() > rule.GetDouble(),
                "maximum" => value.ValueKind != JsonValueKind.Number || value.GetDouble() <= rule.GetDouble(),
                _ => throw new NotSupportedException($"The keyword '{keyword.Name}' is not known here."),
            };
            if (!holds)
            {
                faults.Add($"{path}: {value.GetRawText()} is not {keyword.Name} {rule.GetRawText()}");
            }
        }
        if (value.ValueKind == JsonValueKind.Object)
        {
            CheckMembers(schema, value, path, faults);
        }
    }

    private void CheckMembers(JsonElement schema, JsonElement value, string path, List<string> faults)
    {
        foreach (JsonProperty member in value.EnumerateObject())
        {
            if (schema.TryGetProperty("properties", out JsonElement properties) && properties.TryGetProperty(member.Name, out JsonElement known))
            {
                Check(known, member.Value, $"{path}.{member.Name}", faults);
            }
            else if (schema.TryGetProperty("additionalProperties", out JsonElement others))
            {
                if (others.ValueKind == JsonValueKind.False)
                {
                    faults.Add($"{path}: there is no member '{member.Name}'");
                }
                else
                {
                    Check(others, member.Value, $"{path}.{member.Name}", faults);
                }
            }
        }
    }

    private static bool IsOf(string type, JsonElement value) => type switch
    {
        "null" => value.ValueKind == JsonValueKind.Null,
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "string" => value.ValueKind == JsonValueKind.String,
        "number" => value.ValueKind == JsonValueKind.Number,
        "integer" => value.ValueKind == JsonValueKind.Number && value.GetDouble() == Math.Floor(value.GetDouble()),
        "array" => value.ValueKind == JsonValueKind.Array,
        "object" => value.ValueKind == JsonValueKind.Object,
        _ => throw new NotSupportedException($"The type '{type}' is not known here."),
    };

    private static bool Into(Action check)
    {
        check();
        return true;
    }
}
