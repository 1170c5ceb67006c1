using System.Text.Json;
using System.Text.Json.Nodes;
using Ulmfit.Pipeline.Documents;
using Ulmfit.Pipeline.Registry;
using Ulmfit.Pipeline.Tests.Support;

namespace Ulmfit.Pipeline.Tests;

public sealed class ModelVariantTests : IDisposable
{
    private readonly TemporaryStore store = new();

    public void Dispose() => store.Dispose();

    [Theory]
    [InlineData(0.900, 0.905, 0.0, ModelFiles.Int8Model)]
    [InlineData(0.900, 0.900, 0.0, ModelFiles.Int8Model)]
    [InlineData(0.900, 0.896, 0.005, ModelFiles.Int8Model)]
    [InlineData(0.900, 0.894, 0.005, ModelFiles.Model)]
    [InlineData(0.900, 0.899, 0.0, ModelFiles.Model)]
    [InlineData(0.900, 0.950, null, ModelFiles.Model)]
    public void Choose_MacroF1OfBoth_TakesInt8WithinTheTolerance(double float32, double int8, double? tolerance, string expected) =>
        Assert.Equal(expected, ModelVariant.Choose(new Scores(0, float32, 10, []), new Scores(0, int8, 10, []), tolerance));

    [Fact]
    public void Choose_NoRowsHeldOut_TakesFloat32() =>
        Assert.Equal(ModelFiles.Model, ModelVariant.Choose(new Scores(0, 0, 0, []), new Scores(0, 0, 0, []), 0.005));

    [Fact]
    public async Task Card_FromBeforeThereWereVariants_ServesFloat32()
    {
        ModelCard card = await TinyModels.PublishAsync(new ModelRegistry(store.Blobs, TimeProvider.System), "tickets", 1, "tickets-1", TestContext.Current.CancellationToken);
        JsonObject json = JsonSerializer.SerializeToNode(card, SealedJson.Options)!.AsObject();
        Assert.True(json.Remove("serves") && json.Remove("variants"));

        ModelCard old = json.Deserialize<ModelCard>(SealedJson.Options)!;

        Assert.Equal(ModelFiles.Model, old.Serves);
        Assert.Empty(old.Variants);
    }
}
