namespace V2XSim.Contracts;

/// <summary>
/// What other tiers sent a grain, until its turn comes: what is sent in one step is used in the next, in order of step, sender and
/// start, so that it does not matter whose call came first. A second message under the same three replaces the first.
/// </summary>
public sealed class StepInbox<T>
{
    private readonly SortedDictionary<(long Step, string Sender, long StartMicroseconds), T> _messages = [];

    public void Put(long step, string sender, T message, long startMicroseconds = 0) => _messages[(step, sender, startMicroseconds)] = message;

    /// <summary>Takes out what was sent before a step.</summary>
    public List<T> TakeBefore(long step)
    {
        var taken = new List<T>();
        foreach ((long, string, long) key in _messages.Keys.TakeWhile(k => k.Step < step).ToList())
        {
            taken.Add(_messages[key]);
            _messages.Remove(key);
        }

        return taken;
    }
}
