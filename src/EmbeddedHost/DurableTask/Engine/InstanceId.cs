namespace EmbeddedHost.Durable;

/// <summary>The rules for instance ids.</summary>
internal static class InstanceId
{
    public const int LongestLength = 256;

    /// <exception cref="ArgumentException">The id breaks a rule; the message says which.</exception>
    public static void Check(string? instanceId, string parameterName)
    {
        ArgumentException.ThrowIfNullOrEmpty(instanceId, parameterName);
        string? broken = instanceId switch
        {
            { Length: > LongestLength } => $"must have at most {LongestLength} characters, and this one has {instanceId.Length}",
            ['@', ..] => "must not begin with '@', which is reserved for entities",
            _ when instanceId.AsSpan().IndexOfAny("/\\#?") >= 0 => "must not contain any of / \\ # ?",
            _ when instanceId.Any(char.IsControl) => "must not contain control characters",
            _ => null,
        };
        if (broken is not null)
        {
            throw new ArgumentException($"An instance id {broken}: '{instanceId}'.", parameterName);
        }
    }
}
