"""Benchmarks: the product beside a bare Flask application, in the same run, on the same server and database.

start       installs what is needed, before anything else
bare        the reference application: what the same work costs with nothing around it
reference   the bare application as a subject: its data, its requests, its answers
product     the product as a subject: the same, through the product's own code
rounds      the same work for two subjects in turn
subject     what a subject is, and the data that both of them hold
databases   one fresh SQLite file or PostgreSQL database for each subject
servers     granian with the product's options; processor time and memory of its processes
client      a light HTTP client: raw sockets and one loop
figures     medians, percentiles, the table and the JSON file
season      a season lived four times: the list alone, reminders, asking by hand, the autopilot
town        the people of that season, and what is assumed of them
histories   thousands of nights by chance: do the sums agree?
booking, listing, statements, race, home, memory: one bench each
"""
