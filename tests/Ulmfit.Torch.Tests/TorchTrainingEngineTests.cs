using System.Runtime.InteropServices;
using TorchSharp;
using Ulmfit.Engine;
using Ulmfit.Model;

namespace Ulmfit.Torch.Tests;

/// <summary>What this engine does beside what every engine does.</summary>
public sealed class TorchTrainingEngineTests
{
    private const int LanguageModelGroups = 4, ClassifierGroups = 5;

    [Fact]
    public void TrainStep_OfAClassifierWithoutRoomForActivations_GivesTheSameWeights()
    {
        using TorchTrainingEngine roomy = TestEngine.Create();
        using var narrow = new TorchTrainingEngine(2, TestEngine.Device) { ActivationBudget = 0 };
        StateDict start = Samples.ClassifierWeights(Samples.Classifier);
        using IClassifierNetwork expected = roomy.CreateClassifier(Samples.ClassifierOptions, start), actual = narrow.CreateClassifier(Samples.ClassifierOptions, start);
        for (int i = 1; i <= 3; i++)
        {
            expected.TrainStep(Samples.Documents(Samples.Classifier, 6, 40, i), Samples.Step(i, ClassifierGroups));
            actual.TrainStep(Samples.Documents(Samples.Classifier, 6, 40, i), Samples.Step(i, ClassifierGroups));
        }

        Closeness.AssertStates(expected.Save(), actual.Save(), 1e-5);
    }

    [Fact]
    public void Constructor_WithAnUnknownDevice_NamesIt()
    {
        TestEngine.RequireLibrary();
        Assert.Contains("abacus", Assert.Throws<ArgumentException>(() => new TorchTrainingEngine(device: "abacus")).Message, StringComparison.Ordinal);
        Assert.Contains("cuda:999", Assert.Throws<ArgumentException>(() => new TorchTrainingEngine(device: "cuda:999")).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new TorchTrainingEngine(0));
    }

    [Fact]
    public void Constructor_WithoutADevice_TakesCudaWhereThereIsOne()
    {
        TestEngine.RequireLibrary();
        using var engine = new TorchTrainingEngine();
        Assert.Equal(torch.cuda.is_available() ? "cuda:0" : "cpu", engine.DeviceName);
    }

    [Fact]
    public void Constructor_OnCuda_SwitchesTensorFloat32Off()
    {
        using TorchTrainingEngine engine = TestEngine.Create();
        Assert.SkipUnless(engine.DeviceName.StartsWith("cuda", StringComparison.Ordinal), "There is no CUDA device.");
        Assert.False(torch.backends.cuda.matmul.allow_tf32);
        Assert.False(torch.backends.cudnn.allow_tf32);
    }

    [Fact]
    public void MakeRepeatable_OnLinux_IsSeenByNativeCode()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Elsewhere the process is started with the setting.");
        string expected = Environment.GetEnvironmentVariable("CUBLAS_WORKSPACE_CONFIG") ?? ":4096:8";
        TorchLibrary.MakeRepeatable();
        Assert.Equal(expected, Marshal.PtrToStringUTF8(GetEnvironment("CUBLAS_WORKSPACE_CONFIG")));
    }

    /// <summary>Sees a tensor of any size that is kept; the contract's test of memory sees those outside libtorch's count.</summary>
    [Fact]
    public void Steps_ManyTimes_LeaveNoTensorsBehind()
    {
        using TorchTrainingEngine engine = TestEngine.Create();
        using ILanguageModelNetwork model = engine.CreateLanguageModel(Samples.LanguageModelOptions(4, 8), Samples.LanguageModel(Samples.Encoder));
        using IClassifierNetwork classifier = engine.CreateClassifier(Samples.ClassifierOptions, Samples.ClassifierWeights(Samples.Classifier));
        using IFeatureNetwork features = engine.CreateFeatures(Samples.Classifier, Samples.ClassifierWeights(Samples.Classifier));
        Round(1);
        long before = DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount;
        for (int i = 2; i <= 6; i++)
        {
            Round(i);
        }

        Assert.Equal(before, DisposeScopeManager.Statistics.TensorStatistics.ThreadTotalLiveCount);

        void Round(int i)
        {
            model.TrainStep(Samples.Window(Samples.Encoder, 6, 4, i), Samples.Step(i, LanguageModelGroups));
            model.Evaluate(Samples.Window(Samples.Encoder, 6, 3, i));
            model.PredictNext([i, 2, 3], new float[3 * Samples.Encoder.VocabularySize]);
            model.Save();
            ClassifierBatch batch = Samples.Documents(Samples.Classifier, 6, 30, i);
            classifier.TrainStep(batch, Samples.Step(i, ClassifierGroups));
            classifier.Predict(batch.Documents, new float[6 * Samples.Classifier.Classes]);
            classifier.Save();
            features.Pool(batch.Documents, new float[6 * Samples.Classifier.PooledSize]);
        }
    }

    [DllImport("libc", EntryPoint = "getenv")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern nint GetEnvironment([MarshalAs(UnmanagedType.LPUTF8Str)] string name);
}
