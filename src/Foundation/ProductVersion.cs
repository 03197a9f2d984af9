using System.Reflection;

namespace V2XSim.Foundation;

/// <summary>Version of the product, as shown in results and tools.</summary>
public static class ProductVersion
{
    /// <summary>Semantic version without a revision, such as <c>0.1.0</c>.</summary>
    public static string Text { get; } = typeof(ProductVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion;
}
