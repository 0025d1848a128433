"""The real programs of run.py: what is installed, the sources, the command line of `bundle`, and what a run must print.

A program is a dict: `requires` (pinned), `files`, `bundle` (arguments), `runs`: a list of (arguments, text that the output must
contain). `server`: the program serves at PORT; a list of (path, text). `pythons`: versions; default all. `without`: forms in which it
cannot run.
"""

DJANGO_FILES = {
    "manage.py": """
import os, sys
def main():
    os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'mysite.settings')
    from django.core.management import execute_from_command_line
    execute_from_command_line(sys.argv)
if __name__ == '__main__':
    main()
""",
    "mysite/__init__.py": "",
    "mysite/settings.py": """
import os
SECRET_KEY = 'x'
DEBUG = True
ALLOWED_HOSTS = ['*']
INSTALLED_APPS = ['django.contrib.admin', 'django.contrib.auth', 'django.contrib.contenttypes',
                  'django.contrib.sessions', 'django.contrib.messages', 'django.contrib.staticfiles', 'polls']
MIDDLEWARE = ['django.contrib.sessions.middleware.SessionMiddleware', 'django.middleware.common.CommonMiddleware',
              'django.contrib.auth.middleware.AuthenticationMiddleware',
              'django.contrib.messages.middleware.MessageMiddleware']
ROOT_URLCONF = 'mysite.urls'
TEMPLATES = [{'BACKEND': 'django.template.backends.django.DjangoTemplates', 'APP_DIRS': True, 'DIRS': [],
              'OPTIONS': {'context_processors': ['django.template.context_processors.request',
                                                 'django.contrib.auth.context_processors.auth',
                                                 'django.contrib.messages.context_processors.messages']}}]
DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3', 'NAME': os.environ['DATABASE']}}
STATIC_URL = 'static/'
DEFAULT_AUTO_FIELD = 'django.db.models.BigAutoField'
""",
    "mysite/urls.py": """
from django.contrib import admin
from django.urls import path
from polls import views
urlpatterns = [path('admin/', admin.site.urls), path('', views.index)]
""",
    "polls/__init__.py": "",
    "polls/admin.py": "from django.contrib import admin\nfrom .models import Question\nadmin.site.register(Question)\n",
    "polls/models.py": "from django.db import models\nclass Question(models.Model):\n    text = models.CharField(max_length=9)\n",
    "polls/views.py": """
from django.shortcuts import render
from .models import Question
def index(request):
    return render(request, 'polls/index.html', {'n': Question.objects.count()})
""",
    "polls/migrations/__init__.py": "",
    "polls/migrations/0001_initial.py": """
from django.db import migrations, models
class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [migrations.CreateModel('Question', [('id', models.BigAutoField(primary_key=True)),
                                                      ('text', models.CharField(max_length=9))])]
""",
    "polls/templates/polls/index.html": "<h1>{{ n }} polls</h1>\n",
    "polls/static/polls/style.css": "h1 { color: red }\n",
}

PROGRAMS = {
    "stdlib": dict(
        files={"serve.py": "import http.server, sys\nhttp.server.test(http.server.SimpleHTTPRequestHandler, "
                           "port=int(sys.argv[1]))\n"},
        bundle=["serve.py"], server=["PORT"], pages=[("/", "Directory listing")]),
    "httpie": dict(
        requires=["httpie==3.2.4", "setuptools"], bundle=["http"], local=True,
        runs=[(["--version"], "3.2.4"), (["--ignore-stdin", "GET", "http://localhost:PORT/"], "Directory listing")]),
    "black": dict(
        requires=["black==23.3.0"], bundle=["black"],
        runs=[(["--version"], "23.3.0"), (["-c", 'x = {  "a":1 }'], 'x = {"a": 1}')]),
    "yt-dlp": dict(
        requires=["yt-dlp==2024.10.22"], bundle=["yt-dlp"], pythons=["3.8", "3.12", "3.13"],
        runs=[(["--version"], "2024.10.22"), (["--list-extractors"], "youtube")]),
    "django": dict(
        requires=["django==4.2.17", "tzdata"], files=DJANGO_FILES, bundle=["manage.py", "--include", "tzdata"],
        runs=[(["check"], "no issues"), (["migrate"], "Applying polls.0001_initial... OK")],
        server=["runserver", "--noreload", "PORT"],
        pages=[("/", "0 polls"), ("/static/polls/style.css", "color: red"), ("/static/admin/css/base.css", "body"),
               ("/admin/login/", "Log in")]),
    "flask": dict(
        requires=["flask==3.0.3"],
        files={"web/__init__.py": "from flask import Flask, render_template\napp = Flask(__name__)\n@app.route('/')\n"
                                  "def index():\n    return render_template('index.html', name='flask')\n"
                                  "def main():\n    import sys\n    app.run(port=int(sys.argv[1]))\n",
               "web/templates/index.html": "<h1>Hello {{ name }}</h1>\n", "web/static/a.css": "b { top: 0 }\n"},
        bundle=["web:main"], server=["PORT"], pages=[("/", "Hello flask"), ("/static/a.css", "top")]),
    "pandas": dict(
        requires=["numpy", "pandas"], pythons=["3.8", "3.12", "3.13"],
        files={"table.py": "import numpy, pandas\nprint(pandas.DataFrame({'a': numpy.arange(4)}).a.sum())\n"},
        bundle=["table.py"], runs=[([], "6")]),
    "cryptography": dict(
        requires=["cryptography==43.0.3"], pythons=["3.8", "3.12", "3.13", "pypy"],
        files={"seal.py": "from cryptography.fernet import Fernet\nkey = Fernet(Fernet.generate_key())\n"
                          "print(key.decrypt(key.encrypt(b'secret')).decode())\n"},
        bundle=["seal.py"], runs=[([], "secret")]),
    "lxml": dict(
        requires=["lxml==5.3.0"], pythons=["3.8", "3.12", "3.13", "pypy"],
        files={"tree.py": "from lxml import etree, html\nprint(etree.tostring(html.fromstring('<p>x<br>y')))\n"},
        bundle=["tree.py"], runs=[([], "<p>x<br/>y</p>")]),
    "sqlalchemy": dict(
        requires=["sqlalchemy==2.0.36"],
        files={"store.py": "from sqlalchemy import create_engine, text\nwith create_engine('sqlite://').connect() as c:\n"
                           "    print(c.execute(text('select 41 + 1')).scalar())\n"},
        bundle=["store.py"], runs=[([], "42")]),
    "mypy": dict(
        requires=["mypy==1.11.2"], bundle=["mypy"], pythons=["3.8", "3.12"],
        runs=[(["--version"], "1.11.2"), (["-c", "x: int = ''"], "Incompatible types")], status=None),
    "pytest": dict(
        requires=["pytest==8.3.4", "pytest-cov==5.0.0"], bundle=["pytest", "--include", "pytest-cov"],
        pythons=["3.8", "3.12", "3.13", "pypy"], work={"test_a.py": "def test_a():\n    assert 1\n"},
        runs=[(["-q", "test_a.py", "--cov=."], "1 passed")]),
    "rich": dict(
        requires=["rich==13.9.4"],
        files={"show.py": "from rich.console import Console\nfrom rich.table import Table\nfrom rich.markdown import Markdown\n"
                          "t = Table('name')\nt.add_row('cell')\nc = Console()\nc.print(t)\nc.print(Markdown('# Title'))\n"},
        bundle=["show.py"], runs=[([], "cell")]),
    "multiprocessing": dict(
        files={"work/__init__.py": "", "work/task.py": "def square(n):\n    return n * n\n",
               "work/__main__.py": """
import multiprocessing, sys
from work.task import square

def cube(n):
    return n ** 3

if __name__ == '__main__':
    context = multiprocessing.get_context(sys.argv[1])
    with context.Pool(2) as pool:
        print(pool.map(square, [2, 3]), pool.map(cube, [2, 3]))
"""},
        bundle=["-m", "work"],
        without=["dir"],  # Python itself does not import a package's __main__ in new processes
        runs=[([way], "[4, 9] [8, 27]") for way in ("fork", "spawn", "forkserver")]),
    "click": dict(
        requires=["click==8.1.7"],
        files={"tool.py": "import click\n@click.group()\ndef cli(): pass\n@cli.command()\ndef hello():\n    click.echo('hi')\n"
                          "if __name__ == '__main__':\n    cli(prog_name='tool')\n"},
        bundle=["tool.py"],
        runs=[(["hello"], "hi"), ([], "hello", {"_TOOL_COMPLETE": "bash_complete", "COMP_WORDS": "tool he",
                                               "COMP_CWORD": "1"})]),
    "ansible": dict(
        requires=["ansible-core==2.16.14"], bundle=["ansible-playbook"], pythons=["3.12"],
        without=["interpreter"],  # needs a shell
        work={"play.yml": "- hosts: localhost\n  connection: local\n  gather_facts: false\n  tasks:\n"
                          "  - command: echo done\n    register: r\n  - debug: var=r.stdout\n"},
        runs=[(["play.yml"], "ok=2")]),
}
