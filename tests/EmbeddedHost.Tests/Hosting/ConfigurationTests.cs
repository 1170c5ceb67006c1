using Microsoft.Azure.Functions.Worker.Builder;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;

namespace EmbeddedHost.Tests.Hosting;

public sealed class ConfigurationTests
{
    [Theory]
    [InlineData("--demo", "demo=true")]
    [InlineData("--demo --exit-after-demo", "demo=true exit-after-demo=true")]
    [InlineData("--data x --demo --storage folder", "data=x demo=true storage=folder")]
    [InlineData("--data=x --urls http://localhost:1", "data=x urls=http://localhost:1")]
    [InlineData("--offset -1 --demo", "offset=-1 demo=true")]
    [InlineData("--storage=UseDevelopmentStorage=true", "storage=UseDevelopmentStorage=true")]
    [InlineData("stray --demo false", "demo=false")]
    public void CreateBuilder_CommandLine_IsReadableAsConfiguration(string args, string expected)
    {
        FunctionsApplicationBuilder builder = FunctionsApplication.CreateBuilder(args.Split(' '));

        Assert.All(expected.Split(' '), e => Assert.Equal(e[(e.IndexOf('=', StringComparison.Ordinal) + 1)..], builder.Configuration[e.Split('=')[0]]));
    }

    [Fact]
    public void CreateBuilder_LocalSettings_ValuesAreReadAndCommandLineIsStronger()
    {
        using var folder = new TemporaryFolder();
        folder.Write("appsettings.json", """{ "Deep": { "Setting": "weak" }, "Only": "here" }""");
        folder.Write("local.settings.json", """
            {
              // as Core Tools writes it
              "IsEncrypted": false,
              "Values": { "Deep__Setting": "strong", "data": "from-file", "Number": 3, "On": true },
            }
            """);

        ConfigurationManager configuration = FunctionsApplication.CreateBuilder(["--script-root", folder.Path, "--data", "from-line"]).Configuration;

        Assert.Equal("strong", configuration["Deep:Setting"]);
        Assert.Equal("here", configuration["Only"]);
        Assert.Equal("from-line", configuration["data"]);
        Assert.Equal(3, configuration.GetValue<int>("Number"));
        Assert.True(configuration.GetValue<bool>("On"));
    }

    [Fact]
    public void CreateBuilder_HostJson_StandsBelowItsSectionAndCanBeOverridden()
    {
        using var folder = new TemporaryFolder();
        folder.Write("host.json", """{ "extensions": { "http": { "routePrefix": "v1" }, "durableTask": { "hubName": "Mine" } } }""");

        ConfigurationManager configuration = FunctionsApplication.CreateBuilder(
            ["--script-root", folder.Path, "--AzureFunctionsJobHost:extensions:http:routePrefix", "v2"]).Configuration;

        Assert.Equal("v2", configuration["AzureFunctionsJobHost:extensions:http:routePrefix"]);
        Assert.Equal("Mine", configuration["AzureFunctionsJobHost:extensions:durableTask:hubName"]);
        Assert.Equal("v2", new HostSettings(configuration).RoutePrefix);
    }

    [Theory]
    [InlineData("host.json", "{ not json")]
    [InlineData("local.settings.json", "{ \"Values\": ")]
    [InlineData("local.settings.json", "[]")]
    [InlineData("local.settings.json", "{ \"Values\": { \"Nested\": { \"A\": 1 } } }")]
    public void CreateBuilder_FileIsMalformed_SaysWhich(string file, string content)
    {
        using var folder = new TemporaryFolder();
        folder.Write(file, content);

        HostStartException e = Assert.Throws<HostStartException>(() => FunctionsApplication.CreateBuilder(["--script-root", folder.Path]));

        Assert.Contains(folder[file], e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void HostSettings_NothingSet_ListensOnLoopbackPort7071AndKeepsStateInDotData()
    {
        var settings = new HostSettings(new ConfigurationManager());

        Assert.Equal(["http://localhost:7071"], settings.Urls);
        Assert.Equal(Path.GetFullPath(".data"), settings.DataDirectory);
        Assert.Equal("api", settings.RoutePrefix);
        Assert.False(settings.RequireKeys);
    }

    [Theory]
    [InlineData("http://0.0.0.0:0")]
    [InlineData("http://*:0")]
    [InlineData("http://example.org:0")]
    [InlineData("http://127.0.0.1:0;http://[::]:0")]
    [InlineData("nonsense")]
    public void Build_OpenAddressWithoutKeys_IsRefused(string urls)
    {
        using var folder = new TemporaryFolder();
        FunctionsApplicationBuilder builder = TestApp.CreateBuilder(folder, [typeof(ChildFunctions)], args: ["--urls", urls]);

        Assert.Throws<HostStartException>(builder.Build);
    }

    [Fact]
    public void Build_OpenAddressWithKeys_IsAccepted()
    {
        using var folder = new TemporaryFolder();

        using IHost host = TestApp.CreateBuilder(folder, [typeof(ChildFunctions)], args: ["--urls", "http://0.0.0.0:0", "--Host:RequireKeys"]).Build();

        Assert.NotNull(host);
    }

    [Theory]
    [InlineData("--Host:RequireKeys=perhaps", "Host:RequireKeys")]
    [InlineData("--AzureFunctionsJobHost:extensions:blobs:poisonBlobThreshold=0", "poisonBlobThreshold")]
    public async Task Start_SettingHasNoMeaning_SaysWhichSetting(string arg, string setting)
    {
        HostStartException e = await Assert.ThrowsAsync<HostStartException>(() => TestApp.StartAsync([typeof(ChildFunctions)], args: [arg]));

        Assert.Contains(setting, e.Message, StringComparison.Ordinal);
    }
}
