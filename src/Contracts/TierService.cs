using Orleans.Serialization;

namespace V2XSim.Contracts;

/// <summary>What a service sends in one step.</summary>
public sealed class TierOutput
{
    /// <summary>Rows for the results.</summary>
    public List<IServiceRow> Rows { get; } = [];

    /// <summary>Orders to signals, each to the edge that it names.</summary>
    public List<SignalPlanOrder> Orders { get; } = [];

    /// <summary>Facts for the tier above.</summary>
    public List<ITierFact> Up { get; } = [];

    /// <summary>Facts that came too late to be used.</summary>
    public int Late { get; set; }
}

/// <summary>A service of a region or of the centre, as the tier's grain drives it.</summary>
public interface ITierService
{
    /// <summary>Name of the service: unique in its tier, and the key of its state in a checkpoint.</summary>
    string Name { get; }

    /// <summary>Takes in a fact; facts come in a fixed order, before the step that uses them.</summary>
    void Receive(ITierFact fact);

    /// <summary>Does one step.</summary>
    void Step(in TierStep step, TierOutput output);

    /// <summary>The state, serialised.</summary>
    byte[] Checkpoint(Serializer serializer);

    /// <summary>Goes on from a state.</summary>
    void Restore(Serializer serializer, byte[] state);
}

/// <summary>
/// Base of all services: rules over a state. A derived class contains rules only; the order of facts, the collection of rows and the
/// checkpoint are inherited. The same facts and steps give the same rows and orders, whatever the number of silos.
/// </summary>
/// <typeparam name="TState">Everything that the service remembers; serialised by Orleans (<c>[GenerateSerializer]</c>).</typeparam>
public abstract class TierService<TState>(TState state) : ITierService
    where TState : class
{
    /// <inheritdoc/>
    public abstract string Name { get; }

    /// <summary>What the service remembers.</summary>
    protected TState State { get; private set; } = state;

    /// <inheritdoc/>
    public virtual void Receive(ITierFact fact)
    {
    }

    /// <inheritdoc/>
    public abstract void Step(in TierStep step, TierOutput output);

    /// <inheritdoc/>
    public byte[] Checkpoint(Serializer serializer) => serializer.SerializeToArray(State);

    /// <inheritdoc/>
    public void Restore(Serializer serializer, byte[] state) => State = serializer.Deserialize<TState>(state)!;
}

/// <summary>A line of the catalogue of services.</summary>
/// <param name="Name">Name of the service.</param>
/// <param name="RowTypes">Types of its rows, one table each.</param>
/// <param name="Create">Makes the service of one region, or of the centre.</param>
public sealed record TierServiceEntry(string Name, IReadOnlyList<Type> RowTypes, Func<string, ITierService> Create);

/// <summary>The services of a platform.</summary>
/// <param name="Region">Those that each region runs, in their order.</param>
/// <param name="Centre">Those that the centre runs, in their order.</param>
public sealed record TierCatalogue(IReadOnlyList<TierServiceEntry> Region, IReadOnlyList<TierServiceEntry> Centre);

/// <summary>The services of one region or of the centre, and the facts that wait for them.</summary>
public sealed class TierServices
{
    private readonly StepInbox<ITierFact> _inbox = new();
    private readonly ITierService[] _services;

    /// <param name="entries">Lines of the catalogue.</param>
    /// <param name="tier">The region, or the centre.</param>
    /// <exception cref="ArgumentException">Two services have one name.</exception>
    public TierServices(IReadOnlyList<TierServiceEntry> entries, string tier)
    {
        _services = [.. entries.Select(e => e.Create(tier))];
        if (_services.GroupBy(s => s.Name, StringComparer.Ordinal).FirstOrDefault(g => g.Count() > 1) is { } twice)
        {
            throw new ArgumentException($"two services are named {twice.Key}", nameof(entries));
        }
    }

    /// <summary>The service of a type; null when the catalogue does not have it.</summary>
    public T? Find<T>()
        where T : class => _services.OfType<T>().FirstOrDefault();

    /// <summary>Takes in facts that were sent in a step.</summary>
    public void Post(long step, IReadOnlyList<ITierFact> facts)
    {
        var places = new Dictionary<(string, string, long), int>();
        foreach (ITierFact fact in facts)
        {
            (string Kind, string Sender, long Start) key = (fact.GetType().Name, fact.Sender, fact.StartMicroseconds);
            int place = places[key] = places.GetValueOrDefault(key, -1) + 1;
            _inbox.Put(step, key.Sender, fact, key.Kind, key.Start, place);
        }
    }

    /// <summary>Gives every service the facts of earlier steps, then lets each do its step.</summary>
    public TierOutput Step(in TierStep step)
    {
        foreach (ITierFact fact in _inbox.TakeBefore(step.Number))
        {
            foreach (ITierService service in _services)
            {
                service.Receive(fact);
            }
        }

        var output = new TierOutput();
        foreach (ITierService service in _services)
        {
            service.Step(in step, output);
        }

        return output;
    }

    /// <summary>State between two steps.</summary>
    public TierCheckpoint Checkpoint(Serializer serializer) => new(
        [.. _inbox.Waiting.Select(w => new StoredFact(w.Step, w.Place, w.Message))],
        _services.ToDictionary(s => s.Name, s => s.Checkpoint(serializer), StringComparer.Ordinal));

    /// <summary>Goes on from a state; a service that the checkpoint does not know begins anew.</summary>
    public void Restore(Serializer serializer, TierCheckpoint checkpoint)
    {
        _inbox.TakeBefore(long.MaxValue);
        foreach (StoredFact stored in checkpoint.Waiting)
        {
            _inbox.Put(stored.Step, stored.Fact.Sender, stored.Fact, stored.Fact.GetType().Name, stored.Fact.StartMicroseconds, stored.Place);
        }

        foreach (ITierService service in _services)
        {
            if (checkpoint.Services.TryGetValue(service.Name, out byte[]? state))
            {
                service.Restore(serializer, state);
            }
        }
    }
}
