using Microsoft.ML.OnnxRuntime;

namespace ServingBenchmark;

/// <summary>ONNX Runtime's call and nothing around it: what every answer costs at least.</summary>
internal sealed class BareComputation : IDisposable
{
    private static readonly string[] Inputs = ["tokens", "lengths"];
    private static readonly string[] Outputs = ["probabilities"];

    private readonly SessionOptions options = new()
    {
        // As the product's classifier has it.
        ExecutionMode = ExecutionMode.ORT_SEQUENTIAL,
        InterOpNumThreads = 1,
        IntraOpNumThreads = 1,
        EnableMemoryPattern = false,
    };

    private readonly RunOptions run = new();
    private readonly InferenceSession session;

    /// <summary>Loads a model.</summary>
    /// <param name="onnx">The ONNX file.</param>
    public BareComputation(byte[] onnx)
    {
        options.AddSessionConfigEntry("session.intra_op.allow_spinning", "0");
        session = new InferenceSession(onnx, options);
    }

    /// <summary>The version of ONNX Runtime.</summary>
    public static string Version => OrtEnv.Instance().GetVersionString();

    /// <summary>Makes the call that computes one text, on the calling thread.</summary>
    /// <param name="tokens">The ids of its tokens.</param>
    /// <returns>The call; disposing it frees its input.</returns>
    public Call Prepare(int[] tokens) => new(this, tokens);

    /// <inheritdoc/>
    public void Dispose()
    {
        session.Dispose();
        run.Dispose();
        options.Dispose();
    }

    /// <summary>The computation of one text.</summary>
    internal sealed class Call(BareComputation owner, int[] tokens) : IDisposable
    {
        private readonly OrtValue[] inputs =
        [
            OrtValue.CreateTensorValueFromMemory(Array.ConvertAll(tokens, token => (long)token), [tokens.Length, 1]),
            OrtValue.CreateTensorValueFromMemory(new long[] { tokens.Length }, [1]),
        ];

        /// <summary>Computes.</summary>
        public void Run() => owner.session.Run(owner.run, Inputs, inputs, Outputs).Dispose();

        /// <inheritdoc/>
        public void Dispose() => Array.ForEach(inputs, input => input.Dispose());
    }
}
