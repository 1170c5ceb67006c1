using System.Text;
using EmbeddedHost.Durable;

namespace EmbeddedHost.Tests.DurableTask;

public sealed class LogFileTests : IDisposable
{
    private static readonly string[] s_payloads = ["first", "the second payload", "third"];

    private readonly string folder = Directory.CreateTempSubdirectory("durable-log-").FullName;

    private string LogPath => Path.Combine(folder, "one.log");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Crc32C_OfTheCheckString_IsTheStandardsCheckValue()
    {
        Assert.Equal(0xE3069283u, Crc32C.Compute("123456789"u8));
        Assert.Equal(Crc32C.Compute("123456789"u8), Crc32C.Compute("56789"u8, Crc32C.Compute("1234"u8)));
    }

    [Fact]
    public void Read_WholeFile_GivesAllPayloads()
    {
        Write();

        LogContent content = LogFile.Read(LogPath);

        Assert.Equal(s_payloads, Texts(content));
        Assert.Equal(new FileInfo(LogPath).Length, content.ValidLength);
        Assert.Equal(0, content.TornLength);
        Assert.Empty(Directory.GetFiles(folder, "*.tmp"));
    }

    [Fact]
    public void Read_CutAnywhere_GivesTheWholeFramesBeforeTheCut()
    {
        long[] ends = Write();
        byte[] bytes = File.ReadAllBytes(LogPath);
        for (int length = 0; length <= bytes.Length; length++)
        {
            File.WriteAllBytes(LogPath, bytes[..length]);

            LogContent content = LogFile.Read(LogPath);

            int whole = ends.Count(end => end <= length);
            Assert.Equal(s_payloads.Take(whole), Texts(content));
            Assert.Equal(length, content.ValidLength + content.TornLength);
        }
    }

    [Fact]
    public void Read_OneBitFlipped_IsTornInTheLastFrameAndDamageInAnyOther()
    {
        long[] ends = Write();
        byte[] bytes = File.ReadAllBytes(LogPath);
        for (int at = 0; at < bytes.Length; at++)
        {
            byte[] damaged = [.. bytes];
            damaged[at] ^= (byte)(1 << (at % 8));
            File.WriteAllBytes(LogPath, damaged);
            int frame = ends.Count(end => end <= at);
            if (frame == 2)
            {
                Assert.Equal(s_payloads.Take(2), Texts(LogFile.Read(LogPath)));
            }
            else
            {
                HistoryCorruptedException damage = Assert.Throws<HistoryCorruptedException>(() => LogFile.Read(LogPath));
                Assert.Equal(frame == 0 ? 0 : ends[frame - 1], damage.Offset);
            }
        }
    }

    [Fact]
    public void Append_BehindATornTail_OverwritesIt()
    {
        Write();
        byte[] bytes = File.ReadAllBytes(LogPath);
        File.WriteAllBytes(LogPath, bytes[..^2]);
        LogContent torn = LogFile.Read(LogPath);

        using (LogFile file = LogFile.Open(LogPath, torn.ValidLength))
        {
            file.Append("4"u8);
        }

        Assert.Equal(["first", "the second payload", "4"], Texts(LogFile.Read(LogPath)));
    }

    private static IEnumerable<string> Texts(LogContent content) => content.Payloads.Select(payload => Encoding.UTF8.GetString(payload.Span));

    /// <summary>Writes the payloads, and tells where their frames end.</summary>
    private long[] Write()
    {
        var ends = new List<long>();
        using LogFile file = LogFile.Create(LogPath, Encoding.UTF8.GetBytes(s_payloads[0]));
        ends.Add(file.Length);
        foreach (string payload in s_payloads.Skip(1))
        {
            file.Append(Encoding.UTF8.GetBytes(payload));
            ends.Add(file.Length);
        }

        return [.. ends];
    }
}
