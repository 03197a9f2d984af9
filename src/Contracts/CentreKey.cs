namespace V2XSim.Contracts;

/// <summary>There is one centre.</summary>
public static class CentreKey
{
    public const string Only = "centre";
}
