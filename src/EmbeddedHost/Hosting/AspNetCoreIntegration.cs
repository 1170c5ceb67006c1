namespace EmbeddedHost;

/// <summary>Registered where the app asked for ASP.NET Core's types in its HTTP functions.</summary>
internal sealed record AspNetCoreIntegration;
