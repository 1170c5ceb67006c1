using Ulmfit.Model;
using Ulmfit.Text;

namespace Ulmfit.Training;

/// <summary>
/// Pretrained language models in folders, found by name or by path. A folder holds <c>vocabulary.json</c>,
/// <c>forward.safetensors</c> and perhaps <c>backward.safetensors</c>.
/// </summary>
/// <param name="root">Where the folders of the named models are; it need not exist.</param>
public sealed class PretrainedLibrary(string root)
{
    /// <summary>The weights of the forward model.</summary>
    public const string ForwardFile = "forward.safetensors";

    /// <summary>The weights of the backward model.</summary>
    public const string BackwardFile = "backward.safetensors";

    /// <summary>The vocabulary.</summary>
    public const string VocabularyFile = "vocabulary.json";

    /// <summary>The name of the English model that ships with the program: what training starts from unless settings say otherwise.</summary>
    public const string English = "en-small";

    /// <summary>The models that lie beside the program.</summary>
    public static PretrainedLibrary Shipped { get; } = new(Path.Combine(AppContext.BaseDirectory, "Pretrained"));

    /// <summary>The names of the models there are, in ordinal order.</summary>
    public IReadOnlyList<string> Names => Directory.Exists(root)
        ? [.. Directory.EnumerateDirectories(root).Where(IsModel).Select(folder => Path.GetFileName(folder)).Order(StringComparer.Ordinal)]
        : [];

    /// <summary>What to do where <see cref="English"/> is missing.</summary>
    public string MissingDefault =>
        $"Training starts from it unless settings say otherwise, but '{Path.Combine(root, English)}' does not hold {VocabularyFile} and {ForwardFile}: restore src/Ulmfit/Pretrained/{English} and build again, name another model, or choose \"{TrainingSettings.NoPretrained}\" to train from random weights.";

    /// <summary>Whether there is a model of that name.</summary>
    public bool Contains(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.Length > 0 && name == Path.GetFileName(name) && name is not ("." or "..") && IsModel(Path.Combine(root, name));
    }

    /// <summary>Reads what a setting names.</summary>
    /// <param name="nameOrFolder">A folder, which comes first where there is one; the name of a model of this library; or <c>none</c>.</param>
    /// <returns>The model, null for <c>none</c>.</returns>
    /// <exception cref="DirectoryNotFoundException">There is neither.</exception>
    /// <exception cref="InvalidDataException">The model is damaged, or its parts do not belong together.</exception>
    public PretrainedModel? Resolve(string nameOrFolder)
    {
        ArgumentNullException.ThrowIfNull(nameOrFolder);
        if (nameOrFolder == TrainingSettings.NoPretrained)
        {
            return null;
        }

        if (Directory.Exists(nameOrFolder))
        {
            return Load(nameOrFolder);
        }

        if (Contains(nameOrFolder))
        {
            return Open(nameOrFolder);
        }

        if (nameOrFolder == English)
        {
            throw new DirectoryNotFoundException($"There is no pretrained model in '{nameOrFolder}'. {MissingDefault}");
        }

        string known = string.Concat(Names.Select(name => $"{name}, "));
        throw new DirectoryNotFoundException(
            $"There is no pretrained model in '{nameOrFolder}': name {known}a folder with {VocabularyFile} and {ForwardFile}, or {TrainingSettings.NoPretrained}.");
    }

    /// <summary>Reads a model of this library, and no other folder.</summary>
    /// <exception cref="DirectoryNotFoundException">There is none of that name.</exception>
    /// <exception cref="InvalidDataException">The model is damaged, or its parts do not belong together.</exception>
    public PretrainedModel Open(string name) =>
        Contains(name) ? Load(Path.Combine(root, name)) : throw new DirectoryNotFoundException($"There is no pretrained model of the name '{name}'.");

    /// <summary>Reads the model of a folder.</summary>
    /// <exception cref="FileNotFoundException">A file is missing.</exception>
    /// <exception cref="InvalidDataException">The model is damaged, or its parts do not belong together.</exception>
    public static PretrainedModel Load(string folder)
    {
        ArgumentNullException.ThrowIfNull(folder);
        foreach (string file in (string[])[VocabularyFile, ForwardFile])
        {
            if (!File.Exists(Path.Combine(folder, file)))
            {
                throw new FileNotFoundException(
                    $"'{folder}' holds no {file}: a pretrained model has {VocabularyFile}, {ForwardFile} and, for training backward, {BackwardFile}, as 'ulmfit pretrain' and 'ulmfit import' write them.",
                    Path.Combine(folder, file));
            }
        }

        var vocabulary = Vocabulary.Load(Path.Combine(folder, VocabularyFile));
        StateDict forward = Read(Path.Combine(folder, ForwardFile));
        string backward = Path.Combine(folder, BackwardFile);
        return PretrainedModel.Of(vocabulary, forward, File.Exists(backward) ? Read(backward) : null);
    }

    private static bool IsModel(string folder) => File.Exists(Path.Combine(folder, VocabularyFile)) && File.Exists(Path.Combine(folder, ForwardFile));

    private static StateDict Read(string path)
    {
        using FileStream stream = File.OpenRead(path);
        try
        {
            return Safetensors.Read(stream).Tensors;
        }
        catch (InvalidDataException exception)
        {
            throw new InvalidDataException($"{path}: {exception.Message}", exception);
        }
    }
}
