namespace V2XSim.Contracts;

/// <summary>
/// What other tiers sent a grain, until its turn comes. What is sent in one step is used in the next, in a fixed order, so that it does
/// not matter whose call came first. A second message under the same key replaces the first: a call may be repeated.
/// </summary>
public sealed class StepInbox<T>
{
    private readonly SortedDictionary<(long Step, string Kind, string Sender, long StartMicroseconds, int Place), T> _messages = [];

    /// <summary>Everything that waits, in order.</summary>
    public IEnumerable<(long Step, int Place, T Message)> Waiting => _messages.Select(m => (m.Key.Step, m.Key.Place, m.Value));

    /// <summary>Puts in a message.</summary>
    /// <param name="step">Step in which it was sent.</param>
    /// <param name="sender">The sender.</param>
    /// <param name="message">The message.</param>
    /// <param name="kind">Kind of message, where several kinds share the inbox.</param>
    /// <param name="startMicroseconds">Orders messages of one sender and step.</param>
    /// <param name="place">Place in the call, which orders messages of the same start.</param>
    public void Put(long step, string sender, T message, string kind = "", long startMicroseconds = 0, int place = 0) => _messages[(step, kind, sender, startMicroseconds, place)] = message;

    /// <summary>Takes out what was sent before a step.</summary>
    public List<T> TakeBefore(long step)
    {
        var taken = new List<T>();
        foreach ((long, string, string, long, int) key in _messages.Keys.TakeWhile(k => k.Step < step).ToList())
        {
            taken.Add(_messages[key]);
            _messages.Remove(key);
        }

        return taken;
    }
}
