using Ulmfit.Model;
using Ulmfit.Text;
using Ulmfit.Training;

namespace Ulmfit.Tests.Training;

public sealed class PretrainedLibraryTests : IDisposable
{
    private readonly DirectoryInfo folder = Directory.CreateTempSubdirectory("ulmfit-library-");

    public void Dispose() => folder.Delete(recursive: true);

    [Fact]
    public void Resolve_ANameAFolderOrNone_GivesTheModelOrNull()
    {
        string other = Write(Path.Combine(folder.FullName, "elsewhere"), seed: 2);
        Write(Path.Combine(folder.FullName, "library", "en-tiny"), seed: 1);
        Directory.CreateDirectory(Path.Combine(folder.FullName, "library", "empty"));
        var library = new PretrainedLibrary(Path.Combine(folder.FullName, "library"));

        Assert.Equal(["en-tiny"], library.Names);
        Assert.Null(library.Resolve("none"));
        PretrainedModel named = library.Resolve("en-tiny")!, found = library.Resolve(other)!;
        Assert.Equal(new AwdLstmConfig(named.Vocabulary.Count, 8, 12, 2), named.Config);
        Assert.NotEqual(named.Digest, found.Digest);
        Assert.Equal(named.Digest, library.Open("en-tiny").Digest);
    }

    [Fact]
    public void Resolve_NothingOfThatName_SaysWhatThereIs()
    {
        Write(Path.Combine(folder.FullName, "en-tiny"), seed: 1);
        var library = new PretrainedLibrary(folder.FullName);

        DirectoryNotFoundException exception = Assert.Throws<DirectoryNotFoundException>(() => library.Resolve("en-tinny"));

        Assert.Contains("'en-tinny'", exception.Message, StringComparison.Ordinal);
        Assert.Contains("en-tiny", exception.Message, StringComparison.Ordinal);
        Assert.Contains("none", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Resolve_TheDefaultWhereItsFolderIsGone_SaysHowToGoOn()
    {
        DirectoryNotFoundException exception = Assert.Throws<DirectoryNotFoundException>(() => new PretrainedLibrary(folder.FullName).Resolve(TrainingSettings.Default.Pretrained));

        Assert.Contains(Path.Combine(folder.FullName, "en-small"), exception.Message, StringComparison.Ordinal);
        Assert.Contains("restore src/Ulmfit/Pretrained/en-small and build again", exception.Message, StringComparison.Ordinal);
        Assert.Contains("\"none\"", exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("../elsewhere")]
    [InlineData("..")]
    [InlineData("")]
    [InlineData("/")]
    public void Open_ANameThatLeavesTheLibrary_IsRefused(string name)
    {
        Write(Path.Combine(folder.FullName, "elsewhere"), seed: 1);
        Write(folder.FullName, seed: 1);
        var library = new PretrainedLibrary(Directory.CreateDirectory(Path.Combine(folder.FullName, "library")).FullName);

        Assert.False(library.Contains(name));
        Assert.Throws<DirectoryNotFoundException>(() => library.Open(name));
    }

    [Fact]
    public void Load_DamagedWeights_NamesTheFile()
    {
        string model = Write(Path.Combine(folder.FullName, "en-tiny"), seed: 1);
        string file = Path.Combine(model, PretrainedLibrary.ForwardFile);
        File.WriteAllBytes(file, File.ReadAllBytes(file)[..^7]);

        InvalidDataException exception = Assert.Throws<InvalidDataException>(() => PretrainedLibrary.Load(model));

        Assert.Contains(file, exception.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(PretrainedLibrary.ForwardFile)]
    [InlineData(PretrainedLibrary.VocabularyFile)]
    public void Load_AFolderWithoutAFile_SaysWhichAndWhoWritesIt(string file)
    {
        string model = Write(Path.Combine(folder.FullName, "en-tiny"), seed: 1);
        File.Delete(Path.Combine(model, file));

        FileNotFoundException exception = Assert.Throws<FileNotFoundException>(() => PretrainedLibrary.Load(model));

        Assert.Contains($"'{model}' holds no {file}", exception.Message, StringComparison.Ordinal);
        Assert.Contains("ulmfit pretrain", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Names_WithoutAFolder_AreNone() => Assert.Empty(new PretrainedLibrary(Path.Combine(folder.FullName, "nowhere")).Names);

    private static string Write(string model, ulong seed)
    {
        Directory.CreateDirectory(model);
        var vocabulary = Vocabulary.Build([["good", "bad", "fine"], ["good", "bad", "fine"], ["good", "bad", "fine"]]);
        using (FileStream file = File.Create(Path.Combine(model, PretrainedLibrary.VocabularyFile)))
        {
            vocabulary.Save(file);
        }

        using FileStream weights = File.Create(Path.Combine(model, PretrainedLibrary.ForwardFile));
        Safetensors.Write(weights, WeightInitialization.LanguageModel(new AwdLstmConfig(vocabulary.Count, 8, 12, 2), seed), half: true);
        return model;
    }
}
