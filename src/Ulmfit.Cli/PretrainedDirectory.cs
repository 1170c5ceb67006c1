using Ulmfit.Model;
using Ulmfit.Text;
using Ulmfit.Training;

namespace Ulmfit.Cli;

/// <summary>A pretrained language model in a folder: <c>vocabulary.json</c>, <c>forward.safetensors</c> and perhaps <c>backward.safetensors</c>.</summary>
internal static class PretrainedDirectory
{
    public static PretrainedModel Load(string directory)
    {
        if (!Directory.Exists(directory))
        {
            throw new UsageException($"There is no pretrained model in '{directory}': name a folder with vocabulary.json and forward.safetensors, or none.");
        }

        var vocabulary = Vocabulary.Load(Path.Combine(directory, "vocabulary.json"));
        StateDict forward = Read(Path.Combine(directory, "forward.safetensors"));
        string backward = Path.Combine(directory, "backward.safetensors");
        return PretrainedModel.Of(vocabulary, forward, File.Exists(backward) ? Read(backward) : null);
    }

    private static StateDict Read(string path)
    {
        using FileStream stream = File.OpenRead(path);
        return Safetensors.Read(stream).Tensors;
    }
}
