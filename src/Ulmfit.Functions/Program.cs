using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.Hosting;
using Ulmfit.Functions;

NativeHeap.Bound();
AppServices.Prepare();
FunctionsApplicationBuilder builder = FunctionsApplication.CreateBuilder(args);
builder.ConfigureFunctionsWebApplication();
AppSettings settings;
try
{
    settings = AppSettings.Read(builder.Configuration);
    Flavour.Configure(builder, settings);
}
catch (Exception e) when (e is FormatException or ArgumentException)
{
    await Console.Error.WriteLineAsync(e.Message);
    return 2;
}
builder.Services.AddApp(settings);
IHost host = builder.Build();
await host.RunAsync();
return Environment.ExitCode;
