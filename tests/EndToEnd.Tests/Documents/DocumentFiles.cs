using System.Globalization;
using System.IO.Compression;
using EndToEnd.Tests.Support;
using Ulmfit.Cli.Tests;

namespace EndToEnd.Tests.Documents;

/// <summary>The files that the documents take for granted: labelled rows, plain text, and what others have saved, all of them small.</summary>
internal static class DocumentFiles
{
    /// <summary>Lays them into a folder.</summary>
    public static void Lay(string folder)
    {
        string[] texts = [.. Enumerable.Range(0, 150).Select(i => string.Create(CultureInfo.InvariantCulture, $"parcel number {i} came late, and the box was broken"))];
        string corpus = string.Join("\n\n", texts) + "\n";
        Write("train.csv", Samples.Csv(100));
        Write("test.csv", Samples.Csv(30, seed: 1));
        Write("may.csv", Samples.Csv(40, seed: 3));
        Write("messages.txt", string.Join('\n', texts[..5]) + "\n");
        Write("more.txt", string.Join('\n', texts) + "\n");
        Write("domain.txt", corpus);
        Pack("june.jsonl.gz", string.Concat(texts.Select(text => $$"""{"text": "{{text}}", "label": "complaint"}""" + "\n")));
        Pack("reviews.csv.gz", Samples.Csv(100, seed: 4));
        foreach (string name in (string[])["wiki.txt.gz", "wiki-1.txt.gz", "zhwiki.txt.gz", "held-out.txt.gz"])
        {
            Pack(name, corpus);
        }

        // Rows are taken by their place, up to the last five thousand; those that repeat others count once.
        string repeated = string.Concat(Enumerable.Range(0, 5000).Select(i => i % 2 == 0 ? "lovely,praise\n" : "awful,complaint\n"));
        foreach (string name in (string[])["trec", "banking77"])
        {
            Write($"{name}/train.csv", Samples.Csv(40) + repeated);
            Write($"{name}/test.csv", Samples.Csv(10, seed: 1));
        }

        Pack("imdb/train.csv.gz", Samples.Csv(100) + repeated);
        Pack("imdb/unsup_10k.csv.gz", "text\n" + string.Concat(texts.Select(text => text.Replace(",", "", StringComparison.Ordinal) + "\n")));

        string fastai = Path.Combine(Repository.Root, "tests", "Ulmfit.Tests", "Import", "Files");
        File.Copy(Path.Combine(fastai, "v2-lm.pth"), At("wt103-fwd.pth"));
        File.Copy(Path.Combine(fastai, "v2-lm-backward.pth"), At("wt103-bwd.pth"));
        File.Copy(Path.Combine(fastai, "v2-itos-protocol-4.pkl"), At("itos_wt103.pkl"));

        // Something that the fuzzer has kept, and a repository to clone.
        Write("fuzz-failures/labeled-1-42.bin", Samples.Csv(3));
        Write("REPOSITORY/.git/HEAD", "ref: refs/heads/main\n");
        Directory.CreateDirectory(At("REPOSITORY/.git/objects"));
        Directory.CreateDirectory(At("REPOSITORY/.git/refs"));
        Directory.CreateSymbolicLink(At("src"), Path.Combine(Repository.Root, "src"));

        string At(string name)
        {
            string path = Path.Combine(folder, name);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            return path;
        }

        void Write(string name, string content) => File.WriteAllText(At(name), content);

        void Pack(string name, string content)
        {
            using var packed = new StreamWriter(new GZipStream(File.Create(At(name)), CompressionLevel.Fastest));
            packed.Write(content);
        }
    }
}
