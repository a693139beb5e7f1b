# Graph.
graph-title = Graph
