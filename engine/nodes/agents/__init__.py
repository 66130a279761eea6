"""Agent: a model that calls tools in a loop, and the steps that it is made of."""
