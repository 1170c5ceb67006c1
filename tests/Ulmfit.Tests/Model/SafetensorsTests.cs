using System.Text;
using Ulmfit.Model;

namespace Ulmfit.Tests.Model;

public sealed class SafetensorsTests
{
    [Fact]
    public void Write_ThenRead_GivesTheSameTensorsAndMetadata()
    {
        var state = new StateDict
        {
            { "b", new Tensor([2, 3], [1, -2, float.MaxValue, float.Epsilon, float.NaN, 0]) },
            { "a", new Tensor([0], []) },
            { "c", new Tensor([], [42]) },
        };

        SafetensorsFile file = Safetensors.Read(new MemoryStream(Bytes(state, new() { ["k"] = "v\"ü" })));

        Assert.Equal(["a", "b", "c"], file.Tensors.Names);
        Assert.Equal([2, 3], file.Tensors["b"].Shape);
        Assert.Equal(state["b"].Data, file.Tensors["b"].Data);
        Assert.Equal("v\"ü", file.Metadata["k"]);
    }

    [Fact]
    public void Write_TensorsAddedInAnotherOrder_GivesTheSameBytes()
    {
        var one = new StateDict { { "x", new Tensor([1], [1]) }, { "y", new Tensor([1], [2]) } };
        var other = new StateDict { { "y", new Tensor([1], [2]) }, { "x", new Tensor([1], [1]) } };

        Assert.Equal(Bytes(one, new() { ["p"] = "1", ["q"] = "2" }), Bytes(other, new() { ["q"] = "2", ["p"] = "1" }));
    }

    [Fact]
    public void Read_HalfPrecision_WidensExactly()
    {
        var state = new StateDict { { "h", new Tensor([4], [0.5f, -65504f, 1f / 3, 0f]) } };
        using var stream = new MemoryStream();
        Safetensors.Write(stream, state, half: true);
        stream.Position = 0;

        Assert.Equal([0.5f, -65504f, (float)(Half)(1f / 3), 0f], Safetensors.Read(stream).Tensors["h"].Data);
    }

    // from safetensors.numpy import save; save({"w": numpy.array([[1, 2]], dtype=t)})
    [Theory]
    [InlineData("F64", "000000000000F03F0000000000000040")]
    [InlineData("BF16", "803F0040")]
    [InlineData("F16", "003C0040")]
    [InlineData("F32", "0000803F00000040")]
    public void Read_EachFloatType_GivesFloats(string type, string data)
    {
        byte[] payload = Convert.FromHexString(data);
        byte[] file = File($$$"""{"w":{"dtype":"{{{type}}}","shape":[1,2],"data_offsets":[0,{{{payload.Length}}}]}}""", payload);

        Assert.Equal([1f, 2f], Safetensors.Read(new MemoryStream(file)).Tensors["w"].Data);
    }

    [Theory]
    [InlineData("", "ends in the middle")]
    [InlineData("""{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}""", "cannot lie at bytes")]
    [InlineData("""{"w":{"dtype":"I64","shape":[1],"data_offsets":[0,8]}}""", "of the type 'I64'")]
    [InlineData("""{"w":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}""", "impossible shape")]
    [InlineData("""{"w":{"dtype":"F32","shape":[2147483647,2147483647],"data_offsets":[0,4]}}""", "impossible shape")]
    [InlineData("""{"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", "gap or an overlap")]
    [InlineData("""{"w":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}""", "ends in the middle of 'w'")]
    [InlineData("""{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", "twice")]
    [InlineData("""{"w":{"dtype":"F32","shape":[1],"data_offsets":[0]}}""", "header is not the JSON")]
    [InlineData("""{"w":7}""", "header is not the JSON")]
    [InlineData("not json at all", "header is not the JSON")]
    public void Read_MalformedFile_SaysWhatIsWrong(string header, string message)
    {
        byte[] file = header.Length == 0 ? [1, 2, 3] : File(header, new byte[8]);

        Assert.Contains(message, Assert.Throws<InvalidDataException>(() => Safetensors.Read(new MemoryStream(file))).Message, StringComparison.Ordinal);
    }

    private static byte[] Bytes(StateDict state, Dictionary<string, string> metadata)
    {
        using var stream = new MemoryStream();
        Safetensors.Write(stream, state, metadata);
        return stream.ToArray();
    }

    private static byte[] File(string header, byte[] payload) =>
        [.. BitConverter.GetBytes((long)Encoding.UTF8.GetByteCount(header)), .. Encoding.UTF8.GetBytes(header), .. payload];
}
