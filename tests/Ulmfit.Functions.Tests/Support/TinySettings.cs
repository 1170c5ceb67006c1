namespace Ulmfit.Functions.Tests.Support;

/// <summary>Training settings under which a run takes seconds.</summary>
internal static class TinySettings
{
    public const string Forward = """
        {"pretrained": "none", "directions": "forward", "strategy": "full", "heldOutFraction": 0.2, "languageModel": {"fineTune": true, "epochs": 2, "bptt": 20}, "classifier": {"epochs": 3, "batch": 16}}
        """;

    public const string Both = """
        {"pretrained": "none", "directions": "both", "strategy": "full", "heldOutFraction": 0.2, "languageModel": {"fineTune": true, "epochs": 2, "bptt": 20}, "classifier": {"epochs": 3, "batch": 16}}
        """;

    /// <summary>The same with so many epochs that nobody sees the end.</summary>
    public const string Endless = """
        {"pretrained": "none", "directions": "both", "strategy": "full", "heldOutFraction": 0.2, "languageModel": {"fineTune": true, "epochs": 1000, "bptt": 20}}
        """;
}
