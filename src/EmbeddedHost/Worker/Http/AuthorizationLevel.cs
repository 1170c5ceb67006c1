namespace Microsoft.Azure.Functions.Worker;

/// <summary>Which key a caller of an HTTP function needs. Enforced by this host when <c>Host:RequireKeys</c> is set.</summary>
public enum AuthorizationLevel
{
    /// <summary>No key.</summary>
    Anonymous = 0,

    /// <summary>A signed-in user; no kind of key grants it but the master key.</summary>
    User = 1,

    /// <summary>A key of the function, a host key or the master key.</summary>
    Function = 2,

    /// <summary>A system key or the master key.</summary>
    System = 3,

    /// <summary>The master key.</summary>
    Admin = 4,
}
