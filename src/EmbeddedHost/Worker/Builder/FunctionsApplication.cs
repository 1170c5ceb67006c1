namespace Microsoft.Azure.Functions.Worker.Builder;

/// <summary>The entry point of a function app.</summary>
public class FunctionsApplication
{
    private protected FunctionsApplication()
    {
    }

    /// <summary>Makes a builder with the sources of settings that a function app has.</summary>
    /// <param name="args">The command line; <c>--name value</c>, <c>--name=value</c>, and <c>--name</c> alone for a switch that is on.</param>
    public static FunctionsApplicationBuilder CreateBuilder(string[] args) => new(args);
}
