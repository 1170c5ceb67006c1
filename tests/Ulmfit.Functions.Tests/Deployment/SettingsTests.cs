using System.Text.Json;
using EmbeddedHost;
using Microsoft.Extensions.Configuration;
using Ulmfit.Functions.Tests.Support;

namespace Ulmfit.Functions.Tests.Deployment;

/// <summary>docs/settings.md lists what the code reads, all of it and nothing else.</summary>
public sealed class SettingsTests
{
    private static IReadOnlySet<string> ReadByApp => SettingsRead.In([.. Repository.Sources("src", "Ulmfit.Functions"), .. Repository.Sources("eng")]);

    private static IReadOnlySet<string> ReadByHost => SettingsRead.In(Repository.Sources("src", "EmbeddedHost"));

    [Fact]
    public void Settings_ThatTheAppReads_AreListedAsRead() => Assert.Equal(Listed("app"), ReadByApp.Order(StringComparer.Ordinal));

    [Fact]
    public void Settings_ThatTheEmbeddedHostReads_AreListedAsRead() => Assert.Equal(Listed("EmbeddedHost"), ReadByHost.Order(StringComparer.Ordinal));

    [Fact]
    public void Settings_AskedForAtTheStart_AreFoundInTheSources()
    {
        var asked = new AskedFor();
        IConfigurationRoot configuration = new ConfigurationBuilder().Add(asked).Build();

        AppSettings.Read(configuration);
        _ = new HostSettings(configuration);

        IEnumerable<string> settings = asked.Keys.Where(key => !key.StartsWith("AzureFunctionsJobHost:", StringComparison.Ordinal));
        Assert.Contains("Limits:Rows", settings);
        Assert.Subset(ReadByApp.Union(ReadByHost).ToHashSet(), settings.ToHashSet());
    }

    [Fact]
    public void Settings_Listed_SayWhatTheyAreForInKnownWords()
    {
        Assert.NotEmpty(SettingsTable.Settings);
        Assert.All(SettingsTable.Settings, setting =>
        {
            Assert.Subset(new HashSet<string> { "all", "local", "api", "trainer" }, setting.For.ToHashSet());
            Assert.Contains(setting.SetBy, (string[])["infra", "you"]);
            Assert.NotEmpty(setting.ReadBy);
            Assert.NotEmpty(setting.Meaning);
        });
        Assert.Equal(SettingsTable.Settings.Count, SettingsTable.Settings.Select(setting => SettingsTable.Normalize(setting.Name)).Distinct(StringComparer.OrdinalIgnoreCase).Count());
    }

    [Fact]
    public void HostJson_IsListedWhole()
    {
        using JsonDocument host = JsonDocument.Parse(File.ReadAllText(Repository.File("host.json")));

        Assert.Equal(
            Leaves(host.RootElement, "").Select(leaf => leaf with { Value = leaf.Value.Length == 0 ? "empty" : leaf.Value }).Order(),
            SettingsTable.HostJson.Order());
    }

    [Fact]
    public void Sample_NamesListedSettings_WithTheirDefaults()
    {
        using JsonDocument sample = JsonDocument.Parse(File.ReadAllText(Repository.File("local.settings.sample.json")));

        Assert.All(sample.RootElement.GetProperty("Values").EnumerateObject(), value =>
        {
            SettingsTable.Setting setting = Assert.Single(SettingsTable.Settings, setting => SettingsTable.Normalize(setting.Name) == SettingsTable.Normalize(value.Name));
            if (setting.SetBy == "you" && setting.For[0] is "all" or "local")
            {
                Assert.Equal(setting.Default, value.Value.GetString());
            }
        });
    }

    [Fact]
    public void Defaults_Listed_AreThoseOfTheCode()
    {
        AppSettings none = AppSettings.Read(new ConfigurationBuilder().Build());
        AppSettings listed = AppSettings.Read(new ConfigurationBuilder()
            .AddInMemoryCollection(SettingsTable.Settings
                .Where(setting => setting.ReadBy.Contains("app") && double.TryParse(setting.Default, out _))
                .Select(setting => KeyValuePair.Create(setting.Name, (string?)setting.Default)))
            .Build());

        Assert.Equal(none, listed);
    }

    [Theory]
    [InlineData("var x = configuration[\"A:B\"];", "A:B")]
    [InlineData("var x = builder.Configuration[\"C\"];", "C")]
    [InlineData("var x = Count(configuration, \"D\");", "D")]
    [InlineData("var x = Environment.GetEnvironmentVariable(\"E\");", "E")]
    [InlineData("const string Name = \"F\"; string? X() => configuration[Name];", "F")]
    public void Reader_PlaceWhereASettingIsRead_IsFound(string member, string name) => Assert.Equal([name], SettingsRead.Of($"class Some {{ {member} }}"));

    [Theory]
    [InlineData("void X() { configuration[\"A\"] = \"1\"; }")]
    [InlineData("string X() => headers[\"A\"];")]
    public void Reader_OtherPlaces_AreNot(string member) => Assert.Empty(SettingsRead.Of($"class Some {{ {member} }}"));

    private static IEnumerable<string> Listed(string reader) => SettingsTable.Settings
        .Where(setting => setting.ReadBy.Contains(reader))
        .Select(setting => SettingsTable.Normalize(setting.Name))
        .Order(StringComparer.Ordinal);

    private static IEnumerable<(string Path, string Value)> Leaves(JsonElement element, string path) => element.ValueKind == JsonValueKind.Object
        ? element.EnumerateObject().SelectMany(member => Leaves(member.Value, path.Length == 0 ? member.Name : $"{path}.{member.Name}"))
        : [(path, element.ValueKind == JsonValueKind.String ? element.GetString()! : element.GetRawText())];

    /// <summary>Has no setting, and remembers what was asked for.</summary>
    private sealed class AskedFor : ConfigurationProvider, IConfigurationSource
    {
        public HashSet<string> Keys { get; } = new(StringComparer.Ordinal);

        public IConfigurationProvider Build(IConfigurationBuilder builder) => this;

        public override bool TryGet(string key, out string? value)
        {
            Keys.Add(key);
            value = null;
            return false;
        }
    }
}
