namespace Microsoft.Azure.Functions.Worker;

/// <summary>Marks a method as a function. The host finds it by this attribute; its trigger is found on a parameter.</summary>
/// <param name="name">The function's name, unique in the app without regard to case.</param>
[AttributeUsage(AttributeTargets.Method)]
public class FunctionAttribute(string name) : Attribute
{
    /// <summary>The function's name.</summary>
    public string Name { get; } = name;
}
