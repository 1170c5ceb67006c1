namespace EmbeddedHost.Durable;

/// <summary>What to say of a name that no function has.</summary>
internal static class FunctionNames
{
    public static string Unknown(string name, string kind, IEnumerable<string> known)
    {
        string article = kind[0] is 'a' or 'o' ? "an" : "a";
        string list = string.Join(", ", known.Order(StringComparer.Ordinal).Select(one => $"'{one}'"));
        return $"The function '{name}' doesn't exist, is disabled, or is not {article} {kind} function. Additional info: "
            + (list.Length == 0 ? $"No {kind} functions are currently registered!" : $"The following are the known {kind} functions: {list}.");
    }
}
