using Ulmfit.Model;

namespace Ulmfit.Onnx.Tests;

public sealed class OnnxClassifierReaderTests
{
    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void Read_WhatWasWritten_GivesTheSameBits(bool hasForward, bool hasBackward)
    {
        DirectionWeights? forward = hasForward ? TestModel.Direction(TestModel.Config(layers: 2, maxLength: 33), 1) : null;
        DirectionWeights? backward = hasBackward ? TestModel.Direction(TestModel.Config(embedding: 7, hidden: 9, layers: 3, headHidden: 5), 2) : null;

        OnnxClassifierWeights read = OnnxClassifierReader.Read(TestModel.Write(forward, backward));

        Assert.Equal(TestModel.Labels(4), read.Labels);
        AssertSame(forward, read.Forward);
        AssertSame(backward, read.Backward);
    }

    [Fact]
    public void Read_OneLayer_GivesTheSameBits()
    {
        DirectionWeights forward = TestModel.Direction(TestModel.Config(layers: 1), 3);

        AssertSame(forward with { Config = forward.Config with { Encoder = forward.Config.Encoder with { HiddenSize = forward.Config.Encoder.EmbeddingSize } } }, OnnxClassifierReader.Read(TestModel.Write(forward, null)).Forward);
    }

    [Theory]
    [InlineData(1, 2)]
    [InlineData(2, 3)]
    public void Read_LastStateHead_GivesTheSameBits(int layers, int classes)
    {
        DirectionWeights forward = TestModel.Direction(TestModel.LastStateConfig(layers: layers, classes: classes), 4);

        AssertSame(forward, OnnxClassifierReader.Read(TestModel.Write(forward, null)).Forward);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Read_FittedFeatures_GivesTheSameBits(bool projected)
    {
        DirectionWeights forward = TestModel.Direction(TestModel.FeaturesConfig(maxLength: 33), 4);
        if (!projected)
        {
            StateDict weights = forward.Weights.Where(name => name != FeatureNames.Projection);
            weights[FeatureNames.Weight] = Tensor.Zeros(4, forward.Config.PooledSize);
            forward = forward with { Weights = weights };
        }

        AssertSame(forward, OnnxClassifierReader.Read(TestModel.Write(forward, null)).Forward);
    }

    [Fact]
    public void Read_OtherBytes_IsInvalidData()
    {
        byte[] model = TestModel.Write(TestModel.Direction(TestModel.Config(), 1), null);
        var random = new Random(1);
        byte[] noise = new byte[500];
        random.NextBytes(noise);

        Assert.Throws<InvalidDataException>(() => OnnxClassifierReader.Read(noise));
        Assert.Throws<InvalidDataException>(() => OnnxClassifierReader.Read(Array.Empty<byte>()));
        Assert.Throws<InvalidDataException>(() => OnnxClassifierReader.Read(model.AsMemory(0, model.Length / 2)));
    }

    private static void AssertSame(DirectionWeights? expected, DirectionWeights? actual)
    {
        Assert.Equal(expected?.Config, actual?.Config);
        Assert.Equal(expected?.Weights.Names, actual?.Weights.Names);
        foreach ((string name, Tensor tensor) in expected?.Weights ?? new StateDict())
        {
            Assert.Equal(tensor.Shape, actual!.Weights[name].Shape);
            Assert.Equal(tensor.Data, actual.Weights[name].Data);
        }
    }
}
