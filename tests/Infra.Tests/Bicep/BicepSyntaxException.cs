namespace Infra.Tests.Bicep;

/// <summary>A file is no Bicep, or uses a part of it that the parser does not know.</summary>
internal sealed class BicepSyntaxException(int position, string message) : Exception(message)
{
    public int Position => position;
}
