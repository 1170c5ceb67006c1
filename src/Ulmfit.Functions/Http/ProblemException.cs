namespace Ulmfit.Functions.Http;

/// <summary>An answer that is a problem (RFC 9457), thrown from wherever it becomes known.</summary>
internal sealed class ProblemException : Exception
{
    /// <summary>What every problem's <c>type</c> begins with. Types are stable: programs may branch on them.</summary>
    public const string TypePrefix = "urn:ulmfit:problem:";

    public ProblemException(int status, string kind, string title, string detail)
        : base(detail)
    {
        Status = status;
        Kind = kind;
        Title = title;
    }

    public int Status { get; }

    public string Kind { get; }

    public string Title { get; }

    /// <summary>When to try again; null where that would not help.</summary>
    public int? RetryAfterSeconds { get; private init; }

    /// <summary>Further members of the problem.</summary>
    public Dictionary<string, object?> Members { get; } = new(StringComparer.Ordinal);

    public static ProblemException NotFound(string kind, string detail) => new(404, kind, "Not found", detail);

    public static ProblemException Invalid(string detail) => new(422, "invalid-input", "Invalid input", detail);

    public static ProblemException TooLarge(string detail) => new(413, "too-large", "Too large", detail);

    /// <summary>Too much at once; the answer says after how many seconds to try again.</summary>
    public static ProblemException TooMany(string detail, int retryAfterSeconds) => new(429, "too-many-requests", "Too many requests", detail) { RetryAfterSeconds = retryAfterSeconds };

    /// <summary>Adds a member.</summary>
    public ProblemException With(string name, object? value)
    {
        Members[name] = value;
        return this;
    }
}
