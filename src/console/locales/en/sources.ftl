# Sources of events, on the page about the service.
sources-title = How the sources of events do
sources-objective = Of a source's events, { $target } are to be taken and not later than { $late } after they happened.
sources-error = Delays are exact to { $error }. Counted since the start, in memory.
sources-none = No source has told anything since the start.
sources-source = Source
sources-kind = Event
sources-last = Told last
sources-ago = { $span } ago
sources-window = Within
sources-5m = 5 min
sources-1h = 1 h
sources-24h = 24 h
sources-told = Told
sources-delay = Delay, 99 %
sources-refused = Refused
sources-repeated = Retries
sources-late = Late
sources-burn = Burn
sources-other = others
sources-unnamed = without a channel
sources-more = { $n ->
    [one] One more line is only in the metrics.
   *[other] { $n } more lines are only in the metrics.
}
sources-burns = Events “{ $kind }” of { $source } are refused or late far too often.
sources-burns-do = Look at what this source sends; why it is refused is in its answers and in the metrics.
fact-score_order = to be judged
fact-stock_level = stock level
fact-market_price = market price
fact-choice = choice
fact-outcome = outcome
fact-unreadable = no fact
deliveries-title = Deliveries to other systems
deliveries-note = Since the start. Tried again until a sink takes them or they are given up; what was given up is listed by “orderlens deliveries list” and tried again by “orderlens deliveries retry”.
deliveries-sink = Sink
deliveries-delivered = Delivered
deliveries-failed = Failed tries
deliveries-behind = Records to look through
deliveries-oldest = Oldest waits for
deliveries-dead = Given up
deliveries-fault = Last error
deliveries-dead-many = { $n } deliveries to { $sink } were given up.
subjects-dead-many = { $n } messages of { $source } were given up.
deliveries-dead-do = See why with “orderlens deliveries list”, mend it, and try again with “orderlens deliveries retry”.
deliveries-wait-long = Deliveries to { $sink } have waited for more than ten minutes.
deliveries-wait-do = Look whether that system can be reached; nothing is lost meanwhile.
